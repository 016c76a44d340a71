"""Mailboxes in headers (RFC 5322 section 3.4), read strictly and before anything is decoded.

``email`` takes ``alice@bank.example <x@evil.example>`` for Alice and an encoded ``<ceo@bank>`` for the address. Here
the address is what stands in the angle brackets, and everything unclear is marked so that it proves nobody's
identity.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from agentconsole.channels.email.charsets import decode_header
from agentconsole.channels.email.headers import VALUE_LIMIT, one_line
from agentconsole.domain import addresses
from agentconsole.domain.model import Address

MAILBOX_LIMIT: Final = 200
_IN_NAME: Final = re.compile(r"[^\s@<>()\"',;:]{1,64}@[^\s@<>()\"',;:]{1,253}")


class Mailbox(NamedTuple):
    """One mailbox. ``clean`` says that nothing about it was strange; only then may it identify somebody."""

    address: Address | None
    name: str
    clean: bool


def mailboxes(value: bytes) -> list[Mailbox]:
    """Read an address list. The members of groups are returned, but none of them is clean."""
    found: list[Mailbox] = []
    for phrase, spec, clean in _cut(value[:VALUE_LIMIT].decode("latin-1")):
        found.append(_mailbox(phrase, spec, clean and len(value) <= VALUE_LIMIT))
        if len(found) >= MAILBOX_LIMIT:
            break
    return found


def _cut(text: str) -> list[tuple[str, str | None, bool]]:
    """Cut a list into (words outside brackets, what stood in brackets or None, nothing strange)."""
    result: list[tuple[str, str | None, bool]] = []
    words: list[str] = []
    spec: str | None = None
    clean = True
    grouped = False
    at, size = 0, len(text)

    def finish() -> None:
        nonlocal words, spec, clean
        phrase = "".join(words).strip()
        if phrase or spec is not None:
            result.append((phrase, spec, clean and not grouped))
        words, spec, clean = [], None, True

    while at < size:
        mark = text[at]
        if mark == '"':
            stop = _closing(text, at + 1, '"')
            clean = clean and stop < size
            words.append(text[at : stop + 1])
            at = stop + 1
        elif mark == "(":
            stop = _comment(text, at)
            clean = clean and stop <= size
            at = stop
            words.append(" ")
        elif mark == "<":
            stop = _closing(text, at + 1, ">")
            clean = clean and stop < size and spec is None
            spec = text[at + 1 : stop] if spec is None else spec
            at = stop + 1
        elif mark in ",;":
            finish()
            grouped = grouped and mark != ";"
            at += 1
        elif mark == ":":
            words, spec, clean, grouped = [], None, True, True
            at += 1
        else:
            clean = clean and mark not in ">)" and (spec is None or mark.isspace())
            words.append(mark)
            at += 1
    finish()
    return result


def _closing(text: str, at: int, end: str) -> int:
    """Return where ``end`` stands outside quotes; the length of the text where it is missing."""
    size = len(text)
    quoted = False
    while at < size:
        mark = text[at]
        if mark == "\\" and (quoted or end == '"'):
            at += 2
            continue
        if mark == end and not quoted:
            return at
        if mark == '"' and end == ">":
            quoted = not quoted
        at += 1
    return size


def _comment(text: str, at: int) -> int:
    depth = 0
    size = len(text)
    while at < size:
        mark = text[at]
        if mark == "\\":
            at += 1
        elif mark == "(":
            depth += 1
        elif mark == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return size + 1


def _mailbox(phrase: str, spec: str | None, clean: bool) -> Mailbox:
    if spec is None:
        address = _address("".join(phrase.split()))
        clean = clean and _plain_domain(phrase)
        return Mailbox(address, "", clean and address is not None and not any(map(str.isspace, phrase)))
    address = _address(spec.strip())
    clean = clean and _plain_domain(spec)
    unquoted = phrase.strip()
    name = unquoted
    if len(unquoted) >= 2 and unquoted[0] == unquoted[-1] == '"':
        name = unquoted[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        unquoted = ""
    shown = one_line(decode_header(name.encode("latin-1")), 200)
    if "@" in unquoted and "=?" not in unquoted and (address is None or unquoted.lower() != address.value.lower()):
        clean = False
    if "@" in shown and address is not None:
        # A name that is an address itself is at best noise, and at worst somebody else's.
        named = _IN_NAME.search(shown)
        clean = clean and (named is None or named.group().lower() == address.value.lower())
        shown = ""
    return Mailbox(address, shown.replace('"', "") if '"' in shown else shown, clean and address is not None)


def _plain_domain(spec: str) -> bool:
    """Say whether a domain is what it looks like: its A-label is that of these very letters, not of look-alikes that
    IDNA maps to others (full-width letters, ligatures, the KELVIN SIGN)."""
    if spec.isascii():
        return True
    try:
        domain = spec.encode("latin-1").decode("utf-8").rpartition("@")[2].rstrip(".")
        return domain.isascii() or domain.encode("idna").decode("idna") == domain.lower()
    except UnicodeError:
        return False


def _address(spec: str) -> Address | None:
    """Normalise an address; raw 8-bit is read as UTF-8 (RFC 6531) and the domain brought to its A-label form."""
    try:
        text = spec.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return None
    local, at, domain = text.rpartition("@")
    domain = domain.rstrip(".")
    if not at or not local or not domain:
        return None
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return addresses.email(f"{local}@{domain}")
