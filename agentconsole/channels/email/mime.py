"""A mail as bytes to what it means: pure, bounded, and never fooled about the sender.

The digest of a mail (``identity``) does not depend on the account or the folder it was found in, so the same mail
to two of our accounts is one entry. Written for hostile input: every loop is bounded, and what cannot be read
raises ``ValueError`` with a reason that is shown beside the raw mail.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from agentconsole.channels.email import authentication, headers, reports
from agentconsole.channels.email.addresses import Mailbox, mailboxes
from agentconsole.channels.email.bodies import Body
from agentconsole.channels.email.headers import Block
from agentconsole.channels.email.options import EmailOptions
from agentconsole.channels.email.structure import Tree
from agentconsole.domain.model import Address, Participant, Trust
from agentconsole.ports import PAST, Inbound, OwnCopy, Parsed, RawItem

PARTICIPANT_LIMIT: Final = 50
THREAD_LIMIT: Final = 100
WINDOW: Final = 65_536
"""Bytes of In-Reply-To and References that are looked at."""
OLDEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LEEWAY: Final = timedelta(minutes=5)
"""How far a sender's clock may run ahead before its Date is not believed."""

META_OWN: Final = "own_address"
META_DATE: Final = "internaldate"
META_CUT: Final = "truncated"
META_BROKEN: Final = "unreadable"
META_SERVER: Final = "authserv_id"

_ID: Final = re.compile(rb"<\s*([^<>\s]{1,900})\s*>")
_HEADER_LIKE: Final = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")


def _normalised(payload: bytes) -> bytes:
    """Drop blank lines and an mbox line before the headers, and turn a mail with CR line ends into one with LF."""
    if b"\n" not in payload[:4096] and b"\r" in payload[:4096]:
        payload = payload.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    start = payload[:4096].lstrip(b"\r\n \t\xef\xbb\xbf")
    if start and len(start) < len(payload[:4096]) and _HEADER_LIKE.match(start):
        payload = payload[len(payload[:4096]) - len(start) :]
    return payload


def message_id(block: Block) -> str:
    """Return the Message-ID without brackets, or an empty text where there is none that could be used."""
    raw = block.raw("message-id")
    match = _ID.search(raw)
    found = match.group(1) if match else raw.strip()
    if 0 < len(found) <= 900 and b" " not in found and found.isascii():
        return found.decode("ascii")
    return ""


def identity(payload: bytes) -> str:
    """Return what makes this mail itself: its Message-ID with a digest of From, Date and body.

    A Message-ID is chosen by the sender, so equal ids with other content are two mails. Line ends and trailing
    space do not count, because servers change them. Without a Message-ID the digest is that of all bytes.
    """
    data = _normalised(payload)
    try:
        block = headers.split(data, 0, len(data))
    except ValueError:
        block = Block([], 0, 0)
    found = message_id(block)
    digest = hashlib.blake2b(digest_size=16)
    if not found:
        digest.update(payload.replace(b"\r\n", b"\n").rstrip())
        return f"bytes:{digest.hexdigest()}"
    for field in ("from", "date"):
        digest.update(b"\x1f".join(block.all(field)) + b"\x1e")
    digest.update(data[block.body :].replace(b"\r\n", b"\n").rstrip())
    return f"{found}:{digest.hexdigest()}"


def parse(item: RawItem) -> Sequence[Parsed]:
    """Read one mail.

    Args:
        item: as ``fetch`` made it. ``meta`` may hold ``own_address`` (mail from there is our own copy, or a form's),
            ``internaldate`` (ISO 8601), ``truncated`` (the whole size in bytes where only headers were fetched),
            ``unreadable`` (why the server did not hand the mail out) and ``authserv_id`` (whose word about senders
            counts).

    Raises:
        ValueError: with the reason why the mail cannot be read.
    """
    if item.meta.get(META_BROKEN):
        raise ValueError(f"the server would not hand it out: {item.meta[META_BROKEN]}")
    data = _normalised(item.payload)
    if not data.strip():
        raise ValueError("it is empty")
    tree = Tree(data)
    block = tree.root.block
    if reports.is_report(tree.root) and (found := reports.read(tree, item.identity)):
        return found
    sender, trust = _sender(block)
    own = item.meta.get(META_OWN, "")
    if own and trust is not Trust.AMBIGUOUS and sender.address is not None and sender.address.value == own:
        asked = _reply_to(block, own)
        message = _inbound(item, tree, asked, Trust.AMBIGUOUS) if asked is not None else None
        to = _recipient(block, own) if PAST in item.meta else None
        wrote = _inbound(item, tree, to, Trust.CLAIMED) if to is not None else None
        return [OwnCopy(item.identity, message_id(block), _sent_at(block, item), message=message, wrote=wrote)]
    return [_inbound(item, tree, sender, trust)]


def _inbound(item: RawItem, tree: Tree, sender: Mailbox, trust: Trust) -> Inbound:
    block = tree.root.block
    if sender.address is None:
        raise ValueError("it has no sender that could be answered")
    server = item.meta.get(META_SERVER, "")
    verdict = authentication.Verdict(trust, "")
    if server and trust is Trust.CLAIMED:
        verdict = authentication.judge(block, sender.address, server)
    body = Body(tree)
    text = body.text
    if size := item.meta.get(META_CUT):
        text = f"[only the headers were fetched: the whole mail has {size} bytes]"
    return Inbound(
        identity=item.identity,
        sender=sender.address,
        sender_name=sender.name,
        text=text,
        sent_at=_sent_at(block, item),
        external_id=message_id(block),
        subject=headers.one_line(block.decoded("subject")),
        parts=body.files,
        message_ids=thread_ids(block),
        participants=_participants(block, sender.address, item.meta.get(META_OWN, "")),
        trust=verdict.trust,
        signer=verdict.signer,
        checked=bool(server),
        automatic=is_automatic(block, sender.address),
    )


def _sender(block: Block) -> tuple[Mailbox, Trust]:
    """Return who wrote, and whether that may identify a customer: exactly one From with exactly one clean mailbox."""
    fields = block.all("from")
    found = [box for field in fields for box in mailboxes(field)]
    usable = [box for box in found if box.address is not None]
    if len(fields) == 1 and len(found) == 1 and found[0].clean:
        return found[0], Trust.CLAIMED
    if usable:
        return usable[0], Trust.AMBIGUOUS
    for field in ("sender", "return-path", "reply-to"):
        for box in mailboxes(block.raw(field)):
            if box.address is not None:
                return box, Trust.AMBIGUOUS
    return Mailbox(None, "", False), Trust.AMBIGUOUS


def _reply_to(block: Block, own: str) -> Mailbox | None:
    """Return who can be answered where a mail is from our own address: a form on a web site names its visitor so."""
    for field in block.all("reply-to"):
        for box in mailboxes(field):
            if box.address is not None and box.address.value != own:
                return box
    return None


def _recipient(block: Block, own: str) -> Mailbox | None:
    """Return the first person a mail of ours went to."""
    for name in ("to", "cc", "bcc"):
        for field in block.all(name):
            for box in mailboxes(field):
                if box.address is not None and box.address.value != own:
                    return box
    return None


def archived(options: EmailOptions, payload: bytes, size: int, now: datetime) -> RawItem:
    """Make the item of a mail out of an archive; see ``ports.ChannelKind.archived``.

    The server's date that a live mail has is here that of the newest Received field (RFC 5321, 4.4).
    """
    meta = {PAST: "yes", META_OWN: options.own}
    if size > len(payload):
        meta[META_CUT] = str(size)
    try:
        data = _normalised(payload)
        taken = _written(headers.split(data, 0, len(data)).text("received").rpartition(";")[2])
    except ValueError:
        taken = None
    if taken is not None and taken <= now:
        meta[META_DATE] = taken.isoformat()
    return RawItem(identity(payload), payload, now, meta)


def _participants(block: Block, sender: Address, own: str) -> tuple[Participant, ...]:
    found: dict[tuple[str, Address], Participant] = {}
    seen: set[Address] = set()
    for role in ("to", "cc", "reply-to"):
        for field in block.all(role):
            for box in mailboxes(field):
                if box.address is None or box.address == sender or box.address.value == own:
                    continue
                if role != "reply-to" and box.address in seen:
                    continue
                seen.add(box.address)
                if len(found) < PARTICIPANT_LIMIT:
                    found.setdefault((role, box.address), Participant(role, box.address, box.name))
    return tuple(found.values())


def thread_ids(block: Block) -> tuple[str, ...]:
    """Return the ids that a mail answers, newest first: In-Reply-To, then References from their end."""
    own = message_id(block)
    answered = _ID.findall(b" ".join(block.all("in-reply-to"))[:WINDOW])
    chain = _ID.findall(b" ".join(block.all("references"))[-WINDOW:])
    found: dict[str, None] = {}
    for raw in [*answered, *reversed(chain)]:
        text = raw.decode("latin-1")
        if text != own and text.isascii():
            found.setdefault(text)
    return tuple(found)[:THREAD_LIMIT]


def _sent_at(block: Block, item: RawItem) -> datetime | None:
    """Return when the mail was written, or when the server took it where the sender's date cannot be believed."""
    taken = _iso(item.meta.get(META_DATE, ""))
    newest = (taken or item.received_at) + LEEWAY
    written = _written(block.text("date"))
    return written if written is not None and OLDEST <= written <= newest else taken


def _written(text: str) -> datetime | None:
    """Return a date as mails give it; one without a zone is taken as UTC."""
    try:
        written = parsedate_to_datetime(text[:100])
        if written.tzinfo is None:
            written = written.replace(tzinfo=UTC)
        return written.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None


_PRECEDENCE: Final = frozenset(["bulk", "list", "junk", "auto_reply", "auto-reply"])
_AUTOMATIC_FIELDS: Final = frozenset(
    [
        "x-autoreply",
        "x-mail-autoreply",
        "x-autorespond",
        "x-autoresponder",
        "x-autogenerated",
        "x-auto-response-suppress",
        "x-failed-recipients",
        "x-loop",
    ]
)
_AUTOMATIC_SUBJECT: Final = re.compile(
    r"\[?자동 ?(?:회신|응답|답장)\]?|\[?부재 ?중|自動返信|自动回复|abwesenheits|réponse automatique"
    r"|respuesta automática|automatic reply:|auto(?:matic)?[- ]?(?:reply|response)\b|out of (?:the )?office",
    re.IGNORECASE,
)
_ROBOTS: Final = frozenset(["mailer-daemon", "postmaster", "no-reply", "noreply", "donotreply", "do-not-reply"])


def is_automatic(block: Block, sender: Address) -> bool:
    """Say whether a machine wrote this (RFC 3834 and what mail programs do): recorded, and never answered by one."""
    submitted = block.text("auto-submitted").lower().partition(";")[0].strip()
    if submitted and submitted != "no":
        return True
    if block.text("precedence").lower() in _PRECEDENCE:
        return True
    if any(name in _AUTOMATIC_FIELDS for name, _ in block.fields):
        return True
    if block.all("return-path") and block.text("return-path") in ("<>", ""):
        return True
    if headers.parameters(block.raw("content-type"))[0] == "multipart/report":
        return True
    if sender.value.partition("@")[0] in _ROBOTS:
        return True
    return bool(_AUTOMATIC_SUBJECT.match(block.decoded("subject")))
