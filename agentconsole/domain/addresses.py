"""Addresses in one normal form, so that the same person typed twice compares equal.

E-mail is lowered in ASCII only: Unicode lower or NFKC would fold different people into one (KELVIN SIGN lowers to
``k``). Phone numbers become E.164 by ``phonenumbers``, which is imported when the first number comes by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentconsole.domain.model import Address

EMAIL = "email"
PHONE = "phone"

_ASCII_LOWER = str.maketrans({chr(c): chr(c + 32) for c in range(ord("A"), ord("Z") + 1)})
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}")
_WHOLE_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[^\s@<>\"(),:;\\\[\]]{1,255}")
_NUMBERISH = re.compile(r"(?<![\w+])\+?\(?\d[\d\s().\-/]{5,22}\d(?!\w)")
_MENTION_LIMIT = 20
_SCANNED = 20_000


def email(text: str) -> Address | None:
    """Return the address of a mailbox such as ``Emily@Example.com``, or None where it is none."""
    text = text.strip()
    if not _WHOLE_EMAIL.fullmatch(text) or not text.isprintable():
        return None
    return Address(EMAIL, "", text.translate(_ASCII_LOWER))


def phone(text: str, region: str = "") -> Address | None:
    """Return a number in E.164, or None where it is no possible number.

    Args:
        text: as written: ``010-1234-5678``, ``+82 10…``, ``whatsapp:+82…``, ``tel:…``.
        region: two letters (ISO 3166), for numbers written without country code.
    """
    import phonenumbers

    text = text.strip()
    for prefix in ("whatsapp:", "tel:", "sms:"):
        text = text.removeprefix(prefix)
    if len(text) > 40:
        return None
    try:
        parsed = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return Address(PHONE, "", phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def region_of(address: Address) -> str:
    """Return the two-letter region of a phone address, or an empty text."""
    if address.kind != PHONE:
        return ""
    import phonenumbers

    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(address.value)) or ""
    except phonenumbers.NumberParseException:
        return ""


def parse(text: str, region: str = "") -> Address | None:
    """Read an address as an agent writes it: a mailbox, a number, ``kind:value`` or ``kind:scope:value``."""
    text = text.strip()
    kind, colon, rest = text.partition(":")
    if colon and kind.isascii() and kind.isalnum() and kind not in ("whatsapp", "tel", "sms") and rest:
        if kind == EMAIL:
            return email(rest.removeprefix(":"))
        if kind == PHONE:
            return phone(rest.removeprefix(":"), region)
        scope, second, value = rest.partition(":")
        if second and not rest.startswith("@"):
            return Address(kind, scope, value)
        return Address(kind, "", rest)
    if "@" in text:
        return email(text)
    if any(c.isdigit() for c in text):
        return phone(text, region)
    return None


def mentions(text: str, region: str = "") -> tuple[Address, ...]:
    """Return the mailboxes and numbers that stand in a text, in order, without repeats.

    They are hints and no proof: whoever writes a number need not own it.
    """
    found: dict[Address, None] = {}
    for address in _mentions(text[:_SCANNED], region):
        found.setdefault(address)
        if len(found) >= _MENTION_LIMIT:
            break
    return tuple(found)


def _mentions(text: str, region: str) -> Iterator[Address]:
    for match in _EMAIL.finditer(text):
        if (mailbox := email(match.group())) is not None:
            yield mailbox
    for match in _NUMBERISH.finditer(text):
        if match.group().isdigit() and not match.group().startswith("0"):
            continue  # an order number: people group a phone number or begin it with + or 0
        if (number := phone(match.group(), region)) is not None:
            yield number


def shown(address: Address) -> str:
    """Return an address as people write it: a number in groups, a mailbox as it is."""
    if address.kind == PHONE:
        import phonenumbers

        try:
            parsed = phonenumbers.parse(address.value)
        except phonenumbers.NumberParseException:
            return address.value
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return address.value
