"""Whether the bytes of one file are what was written: the same question for a check, a backup and a restore."""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import Any, Final

import msgspec

from agentconsole.domain.model import Draft
from agentconsole.ports import AuditLine, SpoolRecord
from agentconsole.store import codec
from agentconsole.store.care.layout import Kind, Place
from agentconsole.store.embedded import files, sealed, spool
from agentconsole.store.embedded.files import Damaged, Documents
from agentconsole.store.embedded.head import entries_of, shard, volumes
from agentconsole.store.embedded.ledger import CONSENTS, ConsentLine, ErasedLine
from agentconsole.store.embedded.place import FORMAT, Card
from agentconsole.store.embedded.rewriting import Journal
from agentconsole.store.erasure import Gone


class _Reason(msgspec.Struct, frozen=True):
    id: str
    account: str
    why: str


_END: Final = re.compile(rb',"_meta":\{"1":\{"schema":\d+,"gen":\d+,"crc32":\d+\}\}\}\n$')
_SEALED: Final[dict[Kind, Any]] = {
    Kind.CURSOR: spool.Saved,
    Kind.REASON: _Reason,
    Kind.DRAFT: Draft,
}


def reason(place: Place, data: bytes) -> str:
    """Say what is wrong with a file's bytes; empty where they are what was written.

    A head is judged by itself here: whether its volumes are there and its snapshot is what its entries make is asked
    by ``check``. Keys and what we do not know are taken as they are.
    """
    match place.kind:
        case Kind.HEAD | Kind.PREVIOUS:
            return _head(place, data)
        case Kind.VOLUME:
            return _document(data)
        case Kind.BLOB:
            return _blob(place, data)
        case Kind.BATCH:
            return _batch(place, data)
        case Kind.CURSOR | Kind.REASON | Kind.DRAFT:
            return sealed.broken(data, _SEALED[place.kind]) or _cursor(place, data)
        case Kind.AUDIT:
            return lines(data, AuditLine) if data else "it is empty: its first line was cut short, or it was emptied"
        case Kind.LEDGER:
            return lines(data, ConsentLine if place.path.endswith(CONSENTS) else ErasedLine)
        case Kind.JOURNAL:
            return sealed.broken(data, Gone if place.path.startswith("ledger/") else Journal)
        case Kind.FORMAT:
            return _format(data)
        case _:
            return ""


def _head(place: Place, data: bytes) -> str:
    if place.path.split("/")[1] != shard(place.customer):
        return "it lies in another customer's folder"
    if why := _document(data):
        return why
    tables, _ = files.decoded(data)
    try:
        volumes(Documents(tables))
        found = codec.snapshot(tables["card"]["snapshot"]["snapshot"])
    except Damaged as error:
        return error.reason
    except (ValueError, KeyError, TypeError) as error:
        return str(error)
    return "" if found.id == place.customer else f"it belongs to customer {found.id}"


def _document(data: bytes) -> str:
    try:
        entries_of(Documents(files.decoded(data)[0]))
    except Damaged as why:
        return why.reason
    return "" if _END.search(data) else "its last line is not the one that was written"


def _blob(place: Place, data: bytes) -> str:
    if hashlib.sha256(data).hexdigest() != place.path.rpartition("/")[2]:
        return "its bytes are not those that its name says"
    return ""


def _cursor(place: Place, data: bytes) -> str:
    if place.kind != Kind.CURSOR:
        return ""
    account = sealed.opened(data, spool.Saved).account
    return "" if place.path.endswith(f"/{files.file_name(account)}.json") else f"it is the cursor of {account}"


def _batch(place: Place, data: bytes) -> str:
    line, _, body = data.partition(b"\n")
    if why := sealed.broken(line, spool.Header):
        return f"its first line: {why}"
    header = msgspec.json.decode(line, type=spool.Header)
    if zlib.crc32(body) != header.crc32:
        return "its checksum differs"
    try:
        record = msgspec.msgpack.decode(body, type=SpoolRecord)
    except ValueError as error:
        return f"it cannot be read ({error})"
    if (record.id, record.account, record.cursor) != (header.id, header.account, header.cursor):
        return "its first line is of another batch"
    if not place.path.endswith(f"-{files.file_name(header.id)}.batch"):
        return "it holds another batch"
    return ""


def lines(data: bytes, kind: Any) -> str:
    """Say which lines of a file of sealed lines are not what was written."""
    bad = [number for number, line in enumerate(data.splitlines(), 1) if line and sealed.broken(line, kind)]
    if data and not data.endswith(b"\n"):
        bad.append(data.count(b"\n") + 1)
    if not bad:
        return ""
    told = ", ".join(str(number) for number in bad[:5]) + (" …" if len(bad) > 5 else "")
    return f"{len(set(bad))} damaged line{'s' if len(set(bad)) > 1 else ''} (line {told})"


def _format(data: bytes) -> str:
    try:
        card = msgspec.toml.decode(data, type=Card)
    except ValueError as error:
        return f"it cannot be read ({error})"
    if card.format > FORMAT:
        return f"a newer version wrote it (format {card.format}, this program knows {FORMAT})"
    return "" if card.encoded() == data else "it is not what this program writes"
