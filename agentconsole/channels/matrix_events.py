"""What Matrix events mean to a help desk (pure; client-server API, "Instant messaging" and "Receipts")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agentconsole.channels import lenient
from agentconsole.domain.model import Address, Delivery
from agentconsole.ports import AddressEvent, Inbound, Opaque, Parsed, Part, RawItem, StatusReport

_FILES: Final = {
    "m.image": ("image", "image/jpeg"),
    "m.video": ("video", "video/mp4"),
    "m.audio": ("audio", "audio/ogg"),
    "m.file": ("file", "application/octet-stream"),
}
_GONE: Final = ("leave", "ban")


def is_theirs(event: lenient.Table, me: str) -> bool:
    """Say whether an event of a timeline is for us to file: anybody's message but ours, anybody's coming or going."""
    if not lenient.text(event, "event_id") or lenient.text(event, "sender") == me:
        return False
    if event.get("type") != "m.room.member":
        return True
    return lenient.text(event, "state_key") not in ("", me) and bool(_membership(event))


def _membership(event: lenient.Table) -> str:
    """Return ``leave`` or ``join`` where somebody went or came back, else an empty text."""
    now = lenient.text(event, "content", "membership")
    before = lenient.text(event, "unsigned", "prev_content", "membership")
    if now in _GONE and before == "join":
        return "leave"
    return "join" if now == "join" and before in _GONE else ""


def is_direct_invite(invite: lenient.Table, me: str) -> bool:
    """Say whether somebody opened a conversation with us, rather than calling us into a group."""
    return any(
        event.get("type") == "m.room.member"
        and event.get("state_key") == me
        and lenient.dig(event, "content", "membership") == "invite"
        and lenient.dig(event, "content", "is_direct") is True
        for event in lenient.rows(invite, "invite_state", "events")
    )


def just_joined(events: Sequence[lenient.Table], me: str) -> bool:
    """Say whether our own joining is among the events, so that the room's history is new to us."""
    return any(
        event.get("type") == "m.room.member"
        and event.get("state_key") == me
        and lenient.dig(event, "content", "membership") == "join"
        and lenient.dig(event, "unsigned", "prev_content", "membership") in ("invite", "leave")
        for event in events
    )


def names(events: Sequence[lenient.Table]) -> dict[str, str]:
    """Return what members call themselves, from their newest membership."""
    return {
        lenient.text(event, "state_key"): lenient.text(event, "content", "displayname")
        for event in events
        if event.get("type") == "m.room.member"
    }


def receipts(event: lenient.Table, me: str) -> Iterator[tuple[str, lenient.Table]]:
    """Cut an ephemeral event into one receipt each, with an identity that is stable."""
    if event.get("type") != "m.receipt":
        return
    for read, kinds in lenient.table(event, "content").items():
        for user, data in lenient.table(kinds, "m.read").items():
            if user != me:
                ts = lenient.number(data, "ts")
                yield f"{read}:read:{user}", {"type": "m.receipt", "event_id": read, "sender": user, "ts": ts}


def parse(item: RawItem) -> Sequence[Parsed]:
    """Read one event.

    Raises:
        ValueError: it is no JSON object or names no sender.
    """
    event = lenient.load(item.payload)
    if not isinstance(event, dict):
        raise ValueError("the event is no JSON object")
    sender, kind = lenient.text(event, "sender"), lenient.text(event, "type")
    if not sender.startswith("@") or ":" not in sender:
        raise ValueError("the event names no sender")
    address = Address("matrix", "", sender[:255])
    if kind == "m.receipt":
        read, at = lenient.text(event, "event_id"), lenient.moment(event, "ts", per_second=1000)
        return (StatusReport(item.identity, Delivery.READ, external_id=read, at=at),)
    at = lenient.moment(event, "origin_server_ts", per_second=1000)
    if kind == "m.room.member":
        user = Address("matrix", "", lenient.text(event, "state_key")[:255])
        change = _membership(event)
        if not change:
            return (Opaque(item.identity, "membership"),)
        return (AddressEvent(item.identity, user, dead="left" if change == "leave" else "", at=at),)
    return (_message(item, event, kind, address),)


def _message(item: RawItem, event: lenient.Table, kind: str, sender: Address) -> Parsed:
    content = lenient.table(event, "content")
    relation = lenient.table(content, "m.relates_to")
    answers = [lenient.text(relation, "m.in_reply_to", "event_id")]
    if lenient.text(relation, "rel_type") == "m.replace":
        answers.insert(0, lenient.text(relation, "event_id"))
        content = lenient.table(content, "m.new_content") or content
    text, parts = _content(kind, content, quotes=bool(answers[-1]))
    if not text:
        return Opaque(item.identity, f"event {kind[:40]}")
    return Inbound(
        identity=item.identity,
        sender=sender,
        text=text,
        sent_at=lenient.moment(event, "origin_server_ts", per_second=1000),
        external_id=lenient.text(event, "event_id"),
        sender_name=item.meta.get("name", ""),
        parts=parts,
        message_ids=tuple(filter(None, answers)),
        place=item.meta.get("room", ""),
        automatic=lenient.text(content, "msgtype") == "m.notice",
    )


def _content(kind: str, content: lenient.Table, *, quotes: bool) -> tuple[str, tuple[Part, ...]]:
    """Return the text and the files that were not fetched; an empty text where a message was taken back."""
    if kind == "m.room.encrypted":
        return "[encrypted message]", ()
    body, msgtype = lenient.text(content, "body"), lenient.text(content, "msgtype")
    if kind == "m.sticker":
        return f"[sticker] {body}".strip(), (Part(body or "sticker", _type(content, "image/webp"), b""),)
    if msgtype in _FILES:
        word, usual = _FILES[msgtype]
        name = lenient.text(content, "filename") or body or word
        said = body if body and body != name else name
        return f"[{word}] {said}", (Part(name, _type(content, usual), b""),)
    if msgtype == "m.location":
        return f"[location] {body} {lenient.text(content, 'geo_uri')}".strip(), ()
    if msgtype == "m.emote":
        return f"* {body}", ()
    if not msgtype and not body:
        return "", ()
    if msgtype not in ("m.text", "m.notice"):
        return f"[{msgtype.removeprefix('m.')[:40] or 'message'}] {body}".strip(), ()
    return (_without_fallback(body) if quotes else body), ()


def _type(content: lenient.Table, usual: str) -> str:
    return lenient.text(content, "info", "mimetype") or usual


def _without_fallback(body: str) -> str:
    """Cut the quoted lines that older clients put before an answer ("Fallbacks for rich replies")."""
    if not body.startswith("> <"):
        return body
    lines = body.split("\n")
    while lines and lines[0].startswith("> "):
        del lines[0]
    return "\n".join(lines).lstrip("\n") or body
