"""Which entrance serves which address."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

handler500 = "relight.web.failing.failed"

urlpatterns: list[URLPattern | URLResolver] = [
    path("p/", include("relight.web.paypages.urls")),
    path("webhooks/", include("relight.web.webhooks.urls")),
    path("feed/", include("relight.web.feed.urls")),
    path("", include("relight.web.health.urls")),
    path("console/", include("relight.web.console.urls")),
    path("", RedirectView.as_view(pattern_name="demo:front" if settings.DEMO_FOLDER else "console:overview")),
]
if settings.DEMO_FOLDER:
    urlpatterns.append(path("demo/", include("relight.web.demo.urls")))
