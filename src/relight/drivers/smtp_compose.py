"""A message of ours as an e-mail: headers, text and HTML, letter attached. Pure; the SMTP driver sends it."""

from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from relight.drivers.bounces import KEY_HEADER, escape
from relight.flow.messages.port import Message

_ATTACHMENT = {"nb": "brev.pdf", "da": "brev.pdf", "nl": "brief.pdf", "de": "Brief.pdf"}


def compose(message: Message, *, key: str, message_id: str, reply_to: str, at: datetime) -> EmailMessage:
    """The e-mail, without its return path. ValueError: an address or a header that cannot be one; its code.

    Lines stay within 7-bit, so that no relay on the way has to recode what was signed.
    """
    mail = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit", utf8=not local_part(message.to).isascii()))
    try:
        mail["From"] = mailbox(message.sender)
        mail["To"] = mailbox(message.to)
        mail["Subject"] = message.subject
        if reply_to:
            mail["Reply-To"] = mailbox(reply_to)
    except ValueError:
        raise ValueError("bad_header") from None
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday reply should answer this
    mail["Content-Language"] = message.language
    mail[KEY_HEADER] = escape(key)
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    if message.pdf:
        name = _ATTACHMENT.get(message.language, "letter.pdf")
        mail.add_attachment(message.pdf, maintype="application", subtype="pdf", filename=name)
    return mail


def mailbox(text: str) -> Address:
    """`Name <address>` or an address, its domain in ASCII (IDNA). ValueError: not an address."""
    if "\r" in text or "\n" in text:
        raise ValueError("bad_address")
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    if not local or not domain or " " in address:
        raise ValueError("bad_address")
    try:
        return Address(name, local, domain.encode("idna").decode())
    except (UnicodeError, IndexError):
        raise ValueError("bad_address") from None


def local_part(address: str) -> str:
    """What stands before the last @."""
    return parseaddr(address)[1].rpartition("@")[0]
