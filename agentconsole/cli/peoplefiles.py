"""Lists of customers from other programs: CSV and vCard. Pure: text in, rows and complaints out.

vCard is read here rather than by a library: five properties are wanted, and the one library for it brings three more
packages along. Read are 2.1 (with quoted-printable), 3.0 (RFC 2426) and 4.0 (RFC 6350).
"""

from __future__ import annotations

import csv
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from agentconsole.text.sanitise import one_line

MAX_NAME: Final = 200
MAX_ADDRESSES: Final = 20
MIN_DIGITS: Final = 3
"""Digits of the shortest number that could be somebody's."""

_COLUMNS: Final = {
    "name": ("name", "full name", "fullname", "display name", "customer", "이름", "성명", "고객명"),
    "email": ("email", "e-mail", "mail", "email address", "e-mail address", "이메일", "메일"),
    "phone": ("phone", "mobile", "tel", "telephone", "phone number", "cell", "전화", "전화번호", "휴대폰", "연락처"),
    "address": ("address", "addresses", "agentconsole address", "주소"),
    "medium": ("preferred", "preferred medium", "preference", "medium", "channel", "선호", "선호 채널"),
    "opt_out": ("opt out", "opt-out", "optout", "unsubscribed", "수신거부"),
    "marketing": ("marketing opt out", "marketing opt-out", "no marketing", "광고 수신거부"),
}
_YES: Final = frozenset({"yes", "y", "true", "1", "x", "all", "예", "네", "모두", "전체", "o"})
_NO: Final = frozenset({"", "no", "n", "false", "0", "-", "아니오", "아니요"})
_MEDIUM: Final = re.compile(r"[a-z][a-z0-9_]{1,30}")


@dataclass(frozen=True)
class Row:
    """One customer. ``opt_outs`` and ``marketing`` name media; an empty one means every medium."""

    line: int
    name: str
    addresses: tuple[str, ...]
    medium: str = ""
    opt_outs: tuple[str, ...] = ()
    marketing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bad:
    """A row that was not understood."""

    line: int
    why: str


@dataclass
class _Card:
    line: int
    name: str = ""
    parts: str = ""
    addresses: list[str] = field(default_factory=list)


def decode(data: bytes) -> str:
    """Return the text of a file: UTF-8 or UTF-16 with its mark, else what Korean spreadsheets write.

    Raises:
        ValueError: it is none of these.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    for charset in ("utf-8-sig", "cp949"):
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    raise ValueError("it is no text in UTF-8, UTF-16 or cp949")


# -- CSV ----------------------------------------------------------------------------------------------------


def read_csv(text: str) -> list[Row | Bad]:
    """Read a table whose first line names the columns; columns that are not known are left alone.

    Raises:
        ValueError: no column is a name, an e-mail, a phone or an address.
    """
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)
    rows = csv.reader(text.splitlines(keepends=True), delimiter=mark, strict=True)
    try:
        head = next(rows, [])
    except csv.Error as exc:
        raise ValueError(f"its first line is broken: {exc}") from exc
    columns = {place: kind for place, title in enumerate(head) if (kind := _column(title))}
    if not {"name", "email", "phone", "address"} & set(columns.values()):
        raise ValueError("its first line names no column name, email, phone or address")
    found: list[Row | Bad] = []
    while True:
        line = rows.line_num + 1
        try:
            cells = next(rows, None)
        except csv.Error as exc:
            found.append(Bad(line, str(exc)))
            continue
        if cells is None:
            return found
        if any(cell.strip() for cell in cells):
            found.append(_csv_row(line, cells, columns, len(head)))


def _column(title: str) -> str:
    plain = " ".join(title.replace("_", " ").lower().split())
    return next((kind for kind, titles in _COLUMNS.items() if plain in titles), "")


def _csv_row(line: int, cells: Sequence[str], columns: dict[int, str], width: int) -> Row | Bad:
    if len(cells) > width:
        return Bad(line, f"{len(cells)} cells under {width} columns")
    held: dict[str, list[str]] = {}
    for place, kind in columns.items():
        if place < len(cells) and cells[place].strip():
            held.setdefault(kind, []).append(cells[place].strip())
    addresses = [part for cell in held.get("email", ()) for part in re.split(r"[\s,;]+", cell) if part]
    addresses += [part.strip() for cell in held.get("phone", ()) for part in re.split(r"[;/\n]", cell) if part.strip()]
    addresses += [part for cell in held.get("address", ()) for part in re.split(r"[\s;]+", cell) if part]
    try:
        outs = _media(held.get("opt_out", ()))
        marketing = _media(held.get("marketing", ()))
    except ValueError as exc:
        return Bad(line, str(exc))
    medium = " ".join(held.get("medium", ())).lower()
    return _checked(Row(line, " ".join(held.get("name", ())), tuple(addresses), medium, outs, marketing))


def _media(cells: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for cell in cells:
        for word in re.split(r"[\s,;]+", cell.strip().lower()):
            if word in _YES:
                found[""] = None
            elif _MEDIUM.fullmatch(word) and word not in _NO:
                found[word] = None
            elif word not in _NO:
                raise ValueError(f"{one_line(cell, 60)} is neither yes nor no nor a medium")
    return tuple(found)


def _checked(row: Row) -> Row | Bad:
    name = one_line(row.name, MAX_NAME)
    addresses = tuple(dict.fromkeys(row.addresses))
    if not name and not addresses:
        return Bad(row.line, "neither a name nor an address")
    for address in addresses:
        if "@" not in address and ":" not in address and sum(char.isdigit() for char in address) < MIN_DIGITS:
            return Bad(row.line, f"{one_line(address, 80)} is no address")
    if len(addresses) > MAX_ADDRESSES:
        return Bad(row.line, f"more than {MAX_ADDRESSES} addresses")
    return Row(row.line, name or addresses[0], addresses, row.medium, row.opt_outs, row.marketing)


# -- vCard --------------------------------------------------------------------------------------------------


def read_vcard(text: str) -> list[Row | Bad]:
    """Read cards; of each its name, mailboxes and numbers. One that is broken spoils no other."""
    found: list[Row | Bad] = []
    card: _Card | None = None
    for line, name, parameters, value in _properties(text):
        if name == "BEGIN" and value.upper() == "VCARD":
            if card is not None:
                found.append(Bad(card.line, "a card that does not end"))
            card = _Card(line)
        elif card is None:
            if not found or not isinstance(found[-1], Bad) or found[-1].line != line:
                found.append(Bad(line, "outside of a card"))
        elif name == "END":
            found.append(_checked(Row(card.line, card.name or card.parts, tuple(card.addresses))))
            card = None
        elif name == "FN" and not card.name:
            card.name = _value(parameters, value)
        elif name == "N":
            family, given, *_ = [*(_unescaped(part) for part in _split(_value(parameters, value, raw=True))), "", ""]
            card.parts = f"{given} {family}".strip()
        elif name == "EMAIL" and value.strip():
            card.addresses.append(_value(parameters, value).removeprefix("mailto:"))
        elif name == "TEL" and value.strip():
            card.addresses.append(_value(parameters, value).removeprefix("tel:"))
    if card is not None:
        found.append(Bad(card.line, "a card that does not end"))
    return found


_PROPERTY: Final = re.compile(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)((?:;(?:\"[^\"]*\"|[^:\"])*)?):(.*)", re.DOTALL)


def _properties(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Give line number, name, parameters and value; folded lines (RFC 6350, 3.2) and soft breaks of 2.1 joined."""
    logical: list[tuple[int, str]] = []
    soft = False
    for number, line in enumerate(text.splitlines(), 1):
        if soft and logical:
            logical[-1] = (logical[-1][0], logical[-1][1][:-1] + line)
        elif line[:1] in (" ", "\t") and logical:
            logical[-1] = (logical[-1][0], logical[-1][1] + line[1:])
        elif line.strip():
            logical.append((number, line))
        else:
            continue
        whole = logical[-1][1]
        soft = whole.endswith("=") and "QUOTED-PRINTABLE" in whole.partition(":")[0].upper()
    for number, line in logical:
        match = _PROPERTY.fullmatch(line)
        if match is not None:
            yield number, match[1].upper(), match[2].upper(), match[3].strip()


def _value(parameters: str, value: str, *, raw: bool = False) -> str:
    if "QUOTED-PRINTABLE" in parameters:
        charset = re.search(r"CHARSET=\"?([A-Z0-9_-]+)", parameters)
        data = quopri.decodestring(value.encode("latin-1", "replace"))
        try:
            value = data.decode(charset[1] if charset else "utf-8", "replace")
        except LookupError:
            value = data.decode("utf-8", "replace")
    return value if raw else _unescaped(value).strip()


def _split(value: str) -> list[str]:
    return re.split(r"(?<!\\);", value)


def _unescaped(value: str) -> str:
    return re.sub(r"\\([\\,;:nN])", lambda match: " " if match[1] in "nN" else match[1], value)
