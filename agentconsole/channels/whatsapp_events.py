"""What Meta's webhook tells about WhatsApp, understood leniently: an unknown kind is shown, never dropped (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from agentconsole.channels import lenient
from agentconsole.domain import addresses
from agentconsole.domain.model import Address, Delivery
from agentconsole.ports import AddressEvent, Inbound, Opaque, Parsed, Part, RawItem, StatusReport

_STATES: Final = {
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "played": Delivery.READ,
    "failed": Delivery.FAILED,
}
_MEDIA: Final = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg",
    "document": "application/octet-stream",
    "sticker": "image/webp",
}


def parse(item: RawItem, reason_of: Callable[[int | None], str]) -> Sequence[Parsed]:
    """Read one message, one status or another event.

    Args:
        reason_of: the reason behind one of Meta's error codes.

    Raises:
        ValueError: it is no JSON object, a message without a sender, or meant for another number than this account's.
    """
    told = lenient.load(item.payload)
    if not isinstance(told, dict):
        raise ValueError("the event is no JSON object")
    value = lenient.table(told, "value")
    ours, meant = item.meta.get("number", ""), lenient.text(value, "metadata", "phone_number_id")
    for message in lenient.rows(value, "messages"):
        if ours and meant and meant != ours:
            raise ValueError(f"the message is for phone number id {meant[:40]}, which is not this account's")
        return _message(item.identity, ours or meant, value, message)
    for status in lenient.rows(value, "statuses"):
        return (_status(item.identity, status, reason_of),)
    if "messages" in value or "statuses" in value:
        raise ValueError("the message is no JSON object")
    return (Opaque(item.identity, f"event {lenient.text(told, 'field')[:40] or 'without a name'}"),)


def _status(identity: str, status: lenient.Table, reason_of: Callable[[int | None], str]) -> Parsed:
    word = lenient.text(status, "status")
    state, wamid = _STATES.get(word), lenient.text(status, "id")
    if state is None or not wamid:
        return Opaque(identity, f"status {word[:40]}")
    errors = lenient.rows(status, "errors")
    error = errors[0] if errors else {}
    failed = state is Delivery.FAILED
    return StatusReport(
        identity=identity,
        state=state,
        external_id=wamid,
        key=lenient.text(status, "biz_opaque_callback_data"),
        at=lenient.moment(status, "timestamp"),
        reason=reason_of(lenient.number(error, "code")) if failed else "",
        detail=_error(error)[:300] if failed else "",
    )


def _error(error: lenient.Table) -> str:
    said = lenient.text(error, "error_data", "details") or lenient.text(error, "message")
    return f"{lenient.text(error, 'code')} {said or lenient.text(error, 'title')}".strip()


def _message(identity: str, number: str, value: lenient.Table, message: lenient.Table) -> Sequence[Parsed]:
    contact = _contact(value, message)
    addresses = _addresses(number, contact, message)
    if not addresses:
        raise ValueError("the message names no sender")
    at, kind = lenient.moment(message, "timestamp"), lenient.text(message, "type")
    text, parts, answered = _content(kind, message)
    quoted = answered or lenient.text(message, "context", "id")
    inbound = Inbound(
        identity=identity,
        sender=addresses[0],
        text=text,
        sent_at=at,
        external_id=lenient.text(message, "id"),
        sender_name=lenient.text(contact, "profile", "name") or lenient.text(contact, "profile", "username"),
        parts=parts,
        message_ids=(quoted,) if quoted else (),
        place=lenient.text(message, "group_id"),
        automatic=kind == "system",
        also_known_as=addresses[1:],
    )
    if kind == "system" and "changed" in lenient.text(message, "system", "type"):
        # Who gets the old number next must not get answers meant for this customer.
        return AddressEvent(f"{identity}:address", addresses[0], dead="number_changed", at=at), inbound
    return (inbound,)


def _contact(value: lenient.Table, message: lenient.Table) -> lenient.Table:
    contacts = lenient.rows(value, "contacts")
    for contact in contacts:
        for of_contact, of_message in (("wa_id", "from"), ("user_id", "from_user_id")):
            if (known := lenient.text(contact, of_contact)) and known == lenient.text(message, of_message):
                return contact
    unnamed = not lenient.text(message, "from") and not lenient.text(message, "from_user_id")
    return contacts[0] if len(contacts) == 1 and unnamed else {}


def _addresses(number: str, contact: lenient.Table, message: lenient.Table) -> tuple[Address, ...]:
    """Return the number and the business-scoped id, as far as the event names them."""
    phone = lenient.text(message, "from") or lenient.text(contact, "wa_id")
    user = lenient.text(message, "from_user_id") or lenient.text(contact, "user_id")
    found = []
    if re.fullmatch(r"[1-9][0-9]{4,14}", phone):
        found.append(addresses.phone(f"+{phone}") or Address("phone", "", f"+{phone}"))
    if user:
        found.append(Address("whatsapp", number, user[:200]))
    return tuple(found)


def _content(kind: str, message: lenient.Table) -> tuple[str, tuple[Part, ...], str]:
    """Return text, files that were not fetched, and the message that a reaction belongs to."""
    body = lenient.table(message, kind)
    match kind:
        case "text":
            return _with_advert(lenient.text(body, "body"), message), (), ""
        case "image" | "video" | "audio" | "document" | "sticker":
            name = lenient.text(body, "filename")
            said = lenient.text(body, "caption") or name
            part = Part(name or kind, lenient.text(body, "mime_type") or _MEDIA[kind], b"")
            return f"[{kind}] {said}".strip(), (part,), ""
        case "location":
            where = [lenient.text(body, key) for key in ("name", "address", "latitude", "longitude", "url")]
            return f"[location] {', '.join(filter(None, where))}", (), ""
        case "contacts":
            cards = [_card(card) for card in lenient.rows(message, "contacts")]
            return "\n".join(f"[contact] {card}" for card in cards) or "[contacts]", (), ""
        case "reaction":
            emoji = lenient.text(body, "emoji")
            return (f"[reaction] {emoji}" if emoji else "[reaction removed]"), (), lenient.text(body, "message_id")
        case "button":
            return lenient.text(body, "text") or "[button]", (), ""
        case "interactive":
            chosen = lenient.table(body, lenient.text(body, "type"))
            choice = [lenient.text(chosen, "title") or "[interactive]", lenient.text(chosen, "description")]
            return "\n".join(filter(None, choice)), (), ""
        case "order":
            lines = [_ordered(row) for row in lenient.rows(body, "product_items")]
            return "\n".join([f"[order] {lenient.text(body, 'text')}".strip(), *lines]), (), ""
        case "system":
            return f"[system] {lenient.text(body, 'body')}".strip(), (), ""
        case _:
            why = "; ".join(_error(error) for error in lenient.rows(message, "errors"))
            return f"[{kind[:40] or 'message'}] {why}".strip(), (), ""


def _with_advert(text: str, message: lenient.Table) -> str:
    advert = lenient.table(message, "referral")
    if not advert:
        return text
    told = filter(None, (lenient.text(advert, "headline"), lenient.text(advert, "source_url")))
    return f"{text}\n[advertisement] {', '.join(told)}"


def _card(card: lenient.Table) -> str:
    phones = [lenient.text(row, "phone") for row in lenient.rows(card, "phones")]
    mails = [lenient.text(row, "email") for row in lenient.rows(card, "emails")]
    return " ".join(filter(None, (lenient.text(card, "name", "formatted_name"), *phones, *mails)))


def _ordered(row: lenient.Table) -> str:
    price = " ".join(filter(None, (lenient.text(row, "item_price"), lenient.text(row, "currency"))))
    return f"{lenient.text(row, 'quantity')} × {lenient.text(row, 'product_retailer_id')} ({price})"
