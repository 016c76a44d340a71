"""Our mail as bytes: headers that nobody can inject into, threading that every mail program understands. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, NamedTuple
from urllib.parse import quote

from agentconsole.channels.email.headers import one_line, safe_name
from agentconsole.errors import PermanentFailure
from agentconsole.ports import Outgoing

MESSAGE_LIMIT: Final = 25_000_000
"""Bytes of a mail as it travels; most providers take 25 MB."""
SUBJECT_LIMIT: Final = 400
REFERENCES_LIMIT: Final = 900
"""Characters of References: relays refuse header lines over 998, so the middle of a long chain is left out."""

_WRITER: Final = SMTP.clone(max_line_length=998)
"""The default of 78 columns encodes long ids in References as RFC 2047 words, which breaks the thread."""
_ID: Final = re.compile(r"[!-;=?-~]{1,800}")
_TYPE: Final = re.compile(r"([a-z0-9][a-z0-9!#$&^_.+-]{0,60})/([a-z0-9][a-z0-9!#$&^_.+-]{0,80})")
_MAILBOX: Final = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[^\s@<>\"(),:;\\\[\]]{1,255}")


class Letter(NamedTuple):
    """A mail ready to travel. ``wide`` says that it needs SMTPUTF8 (RFC 6531)."""

    sender: str
    recipient: str
    content: bytes
    wide: bool


def mailbox(text: str) -> str:
    """Return an address that may stand in a command, its domain as A-label.

    Raises:
        PermanentFailure: it is none.
    """
    local, _, domain = text.rpartition("@")
    try:
        found = f"{local}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        found = ""
    if not _MAILBOX.fullmatch(found) or not found.isprintable():
        raise PermanentFailure(
            f"{one_line(text, 100)} is no address that mail can go to; nothing was sent.",
            "Correct the address.",
            reason="bad_address",
        )
    return found


def compose(outgoing: Outgoing, own: str, name: str, now: datetime) -> Letter:
    """Write a reply.

    Args:
        outgoing: what to say to whom; its ``key`` becomes the Message-ID.
        own: the address to send from.
        name: the sender's shown name, may be empty.
        now: the Date.

    Raises:
        PermanentFailure: the address is none, the key is no Message-ID, or the mail is too large.
    """
    if not _ID.fullmatch(outgoing.key) or "@" not in outgoing.key:
        raise PermanentFailure("The reply has no usable Message-ID; nothing was sent.", reason="bad_key")
    size = len(outgoing.text.encode("utf-8", "replace")) + sum(len(file.data) for file in outgoing.files)
    if size > MESSAGE_LIMIT:
        raise _too_large(size)
    sender, recipient = mailbox(own), mailbox(outgoing.address.value)
    wide = not (sender.isascii() and recipient.isascii())
    message = EmailMessage(policy=_WRITER.clone(utf8=True) if wide else _WRITER)
    message["From"] = _header_address(name, sender)
    message["To"] = _header_address(outgoing.to_name, recipient)
    message["Subject"] = _inert(outgoing.subject, SUBJECT_LIMIT)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{outgoing.key}>"
    if outgoing.unsubscribe:
        ways = [f"<mailto:{sender}?subject={quote(outgoing.unsubscribe)}>"]  # RFC 2369
        if outgoing.unsubscribe_url:  # RFC 8058: the server that signs our mail has to sign both headers
            ways.insert(0, f"<{outgoing.unsubscribe_url}>")
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["List-Unsubscribe"] = ", ".join(ways)
    ids = [found for found in outgoing.message_ids if _ID.fullmatch(found)]
    if ids:
        message["In-Reply-To"] = f"<{ids[0]}>"
        message["References"] = references(ids)
    text = outgoing.text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\x00", "")
    message.set_content(text if text.endswith("\n") else text + "\n", charset="utf-8", cte=_encoding(text))
    for number, file in enumerate(outgoing.files, 1):
        kind = _TYPE.fullmatch(file.type.lower())
        major, minor = kind.groups() if kind else ("application", "octet-stream")
        if major in ("multipart", "message"):
            major, minor = "application", "octet-stream"
        message.add_attachment(
            file.data, maintype=major, subtype=minor, filename=safe_name(file.name, f"file{number}.bin")
        )
    content = message.as_bytes()
    if len(content) > MESSAGE_LIMIT * 1.4:
        raise _too_large(len(content))
    return Letter(sender, recipient, content, wide)


def _inert(text: str, limit: int) -> str:
    """Return one clean line that holds no encoded word.

    ``email`` decodes encoded words in what it is given to write, and a CRLF inside one becomes a header of its own.
    """
    return one_line(text, limit).replace("=?", "= ?")


def _header_address(name: str, address: str) -> HeaderAddress:
    local, _, domain = address.rpartition("@")
    return HeaderAddress(display_name=_inert(name, 200), username=local, domain=domain)


def references(ids: list[str]) -> str:
    """Write References, oldest first, from ids that are newest first; a long chain keeps its first and its newest."""
    chain = list(dict.fromkeys(f"<{found}>" for found in reversed(ids)))
    while len(chain) > 2 and len(" ".join(chain)) > REFERENCES_LIMIT:
        del chain[1]
    if len(" ".join(chain)) > REFERENCES_LIMIT:
        del chain[:-1]
    return " ".join(chain)


def _encoding(text: str) -> str:
    if text.isascii():
        lines = text.split("\n")
        if all(len(line) < 900 and not line.endswith((" ", "\t")) and "\t" not in line[-1:] for line in lines):
            return "7bit"
        return "quoted-printable"
    foreign = sum(1 for mark in text if not mark.isascii())
    return "base64" if foreign * 6 > len(text) else "quoted-printable"


def _too_large(size: int) -> PermanentFailure:
    return PermanentFailure(
        f"The mail has {size / 1e6:.0f} MB and e-mail carries {MESSAGE_LIMIT // 1_000_000}; nothing was sent.",
        "Send fewer or smaller files, or a link.",
        reason="too_large",
    )
