"""Addresses in one normal form, so that the same person typed twice compares equal.

E-mail is lowered in ASCII only: Unicode lower or NFKC would fold different people into one (KELVIN SIGN lowers to
``k``). Phone numbers become E.164 by ``phonenumbers``, which is imported when the first number comes by.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from agentconsole.domain.model import Address

EMAIL = "email"
PHONE = "phone"

_ASCII_LOWER = str.maketrans({chr(c): chr(c + 32) for c in range(ord("A"), ord("Z") + 1)})
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}")
_WHOLE_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[^\s@<>\"(),:;\\\[\]]{1,255}")
_NUMBERISH = re.compile(r"(?<![\w+])\+?\(?\d[\d\s().\-/]{5,22}\d(?!\w)")
_SCHEME = re.compile(r"(?:whatsapp|tel|sms|smsto|callto):\s*", re.IGNORECASE)
_ARGENTINA = re.compile(r"\+54((?!9)\d{10})")
_OLD = (
    ("", re.compile(r"\+521(\d{10})"), r"+52\1"),
    ("MX", re.compile(r"(?:01|044|045)(\d{10})"), r"\1"),
    ("", re.compile(r"\+55([1-9]\d)([6-9]\d{7})"), r"+55\g<1>9\2"),
    ("BR", re.compile(r"0?([1-9]\d)([6-9]\d{7})"), r"\g<1>9\2"),
)
"""Forms that are no numbers any more and are still written, where (empty: everywhere), and the number that each is:
Mexico before 2019, Brazil's mobiles of eight digits."""
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

    A subscriber has one form, however it is written and whatever a provider makes of it: the mobile digits of
    Argentina (9) and Brazil (the ninth) are there, that of Mexico (1, given up in 2019) is not.

    Args:
        text: as written: ``010-1234-5678``, ``+82 10…``, ``0082 10…``, ``whatsapp:+82…``, ``tel:…``.
        region: two letters (ISO 3166), for numbers written without country code.
    """
    text = _SCHEME.sub("", unicodedata.normalize("NFKC", text).strip())
    if len(text) > 40:
        return None
    found = _e164(text, region)
    bare = re.sub(r"[^\d+]", "", text)
    if found is None and bare.startswith("00"):
        found = _e164("+" + bare[2:], "")
        bare = "+" + bare[2:]
    if found is None:
        old = (
            m.expand(form) for where, pattern, form in _OLD if where in ("", region) and (m := pattern.fullmatch(bare))
        )
        found = next((number for text in old if (number := _e164(text, region))), None)
    if found is None:
        return None
    mobile = _ARGENTINA.fullmatch(found)
    return Address(PHONE, "", (_e164(f"+549{mobile.group(1)}", "") if mobile else None) or found)


def _e164(text: str, region: str) -> str | None:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def lasting(address: Address) -> bool:
    """Say whether an address stays the same person's: a virtual number (Korea's 050, personal and forwarding numbers
    elsewhere) is lent for one order and then to somebody else, so it links nobody and suggests nobody."""
    if address.kind != PHONE:
        return True
    import phonenumbers

    try:
        parsed = phonenumbers.parse(address.value)
    except phonenumbers.NumberParseException:
        return False
    if parsed.country_code == 82 and str(parsed.national_number).startswith("50"):
        return False
    kind = phonenumbers.number_type(parsed)
    return kind not in (
        phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
        phonenumbers.PhoneNumberType.PAGER,
        phonenumbers.PhoneNumberType.UAN,
        phonenumbers.PhoneNumberType.VOICEMAIL,
    )


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
