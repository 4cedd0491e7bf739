"""E-mails and letters as they came: the e-mail's own HTML in a frame where nothing runs, the letter's PDF."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from relight.web.demo.mailbox import mailbox
from relight.web.demo.story import folder

# Somebody else's HTML, as in any mail program: no script, nothing loaded, links open outside the frame.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups allow-popups-to-escape-sandbox"
)


@require_GET
@xframe_options_sameorigin
def email(request: HttpRequest, key: str) -> HttpResponse:
    """One e-mail's body."""
    kept = mailbox("email").by_key.get(key)
    if kept is None:
        raise Http404
    response = HttpResponse(kept.html.replace("<head>", '<head><base target="_blank">', 1))
    response["Content-Security-Policy"] = _MAIL_POLICY
    return response


@require_GET
def letter(request: HttpRequest, key: str) -> FileResponse:
    """One letter."""
    kept = mailbox("letter").by_key.get(key)
    if kept is None or not kept.pdf:
        raise Http404
    return FileResponse((folder() / "messages" / kept.pdf).open("rb"), content_type="application/pdf")
