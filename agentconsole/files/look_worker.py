"""What a file says as text, found out in a process apart, because its bytes are hostile.

``python -m agentconsole.files.look_worker KIND`` reads a file's bytes from standard input and answers with msgpack
``Seen`` on standard output. It opens nothing, has bounded memory, time and output, and its text is not yet safe for a
terminal: whoever asked sanitises it.
"""

from __future__ import annotations

import contextlib
import io
import re
import resource
import sys
import zipfile
from collections.abc import Callable, Iterator
from typing import Final
from xml.parsers import expat

import msgspec

MEMORY: Final = 700 * 1024 * 1024
"""Bytes of address space."""

SECONDS: Final = 10
"""Seconds of processor time."""

LONGEST: Final = 200_000
"""Characters of text that are returned."""

LARGEST: Final = 60_000_000
"""Bytes that are read of a file, and that one part of a packed file may have when it is unpacked."""

MOST_NAMES: Final = 2_000
MOST_CELLS: Final = 50_000
_MOST_PAGES: Final = 300
_CHUNK: Final = 64 * 1024


class Seen(msgspec.Struct, frozen=True):
    """What a file says.

    Args:
        text: as it was found; empty where there is none.
        cut: it is only the beginning.
        why: why there is no text: ``no_text`` ``damaged`` ``locked`` ``no_library`` ``too_large`` ``unknown``.
    """

    text: str = ""
    cut: bool = False
    why: str = ""


class _Full(Exception):
    """Enough was found."""


class _Refused(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Paper:
    """Collects text up to a limit."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.room = LONGEST

    def write(self, text: str) -> None:
        self.parts.append(text[: self.room])
        self.room -= len(text)
        if self.room <= 0:
            raise _Full

    @property
    def text(self) -> str:
        return "".join(self.parts)


# -- text and lists -----------------------------------------------------------------------------------------


def _plain(data: bytes, paper: _Paper) -> None:
    paper.write(_decoded(data))


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data[: LONGEST * 4].decode("utf-16", "replace")
    head = data[: LONGEST * 4]
    if b"\0" in head:
        raise _Refused("no_text")
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        if exc.start > len(head) - 4:
            return head[: exc.start].decode("utf-8-sig")
    try:
        return head.decode("cp949")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _html(data: bytes, paper: _Paper) -> None:
    from agentconsole.text import html

    paper.write(html.to_text(_decoded(data)))


def _zip(data: bytes, paper: _Paper) -> None:
    with _opened(data) as archive:
        for number, info in enumerate(archive.infolist()):
            if number >= MOST_NAMES:
                raise _Full
            locked = " *" if info.flag_bits & 1 else ""
            when = "{}-{:02}-{:02}".format(*info.date_time[:3])
            name = info.filename.replace("\n", " ").replace("\r", " ")
            paper.write(f"{info.file_size:>12,}  {when}  {name}{locked}\n")


# -- office files: a zip of XML -----------------------------------------------------------------------------


def _opened(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


def _member(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield a part in chunks; what it says of its own size is not believed."""
    left = LARGEST
    with archive.open(name) as part:
        while chunk := part.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise _Refused("too_large")
            yield chunk


def _walk(
    chunks: Iterator[bytes],
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
) -> None:
    """Read XML as events. A document type could name other files or multiply itself, and no office file has one."""

    def refuse(*_: object) -> None:
        raise _Refused("damaged")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(" ")[2], attributes)
    parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
    parser.CharacterDataHandler = text
    parser.buffer_text = True
    for chunk in chunks:
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _flow(archive: zipfile.ZipFile, name: str, paper: _Paper, inside: frozenset[str], ends: dict[str, str]) -> None:
    """Write the text of some elements; ``ends`` is what follows an element, of an empty one too."""
    depth = 0

    def start(element: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += element in inside

    def end(element: str) -> None:
        nonlocal depth
        depth -= element in inside
        if element in ends:
            paper.write(ends[element])

    _walk(_member(archive, name), start, end, lambda text: paper.write(text) if depth else None)


def _numbered(archive: zipfile.ZipFile, pattern: str) -> list[str]:
    found = [(int(match[1]), name) for name in archive.namelist() if (match := re.fullmatch(pattern, name))]
    return [name for _, name in sorted(found)]


def _docx(data: bytes, paper: _Paper) -> None:
    with _opened(data) as archive:
        _flow(archive, "word/document.xml", paper, frozenset({"t"}), {"p": "\n", "br": "\n", "tab": "\t", "tc": "\t"})


def _pptx(data: bytes, paper: _Paper) -> None:
    with _opened(data) as archive:
        for number, name in enumerate(_numbered(archive, r"ppt/slides/slide(\d{1,5})\.xml"), 1):
            paper.write(f"-- {number} --\n")
            _flow(archive, name, paper, frozenset({"t"}), {"p": "\n", "br": "\n"})


def _opendocument(data: bytes, paper: _Paper) -> None:
    with _opened(data) as archive:
        ends = {"p": "\n", "h": "\n", "tab": "\t", "line-break": "\n", "s": " ", "table-cell": "\t", "page": "\n"}
        _flow(archive, "content.xml", paper, frozenset({"p", "h"}), ends)


def _xlsx(data: bytes, paper: _Paper) -> None:
    with _opened(data) as archive:
        shared = _shared_strings(archive)
        for number, name in enumerate(_numbered(archive, r"xl/worksheets/sheet(\d{1,5})\.xml"), 1):
            paper.write(f"-- {number} --\n")
            _sheet(archive, name, shared, paper)


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    found: list[str] = []
    here: list[str] = []
    inside = 0
    size = 0

    def start(element: str, _attributes: dict[str, str]) -> None:
        nonlocal inside
        inside += element == "t"

    def end(element: str) -> None:
        nonlocal inside
        inside -= element == "t"
        if element == "si":
            found.append("".join(here))
            here.clear()

    def text(part: str) -> None:
        nonlocal size
        size += len(part)
        if size > LARGEST:
            raise _Refused("too_large")
        if inside:
            here.append(part)

    _walk(_member(archive, "xl/sharedStrings.xml"), start, end, text)
    return found


def _sheet(archive: zipfile.ZipFile, name: str, shared: list[str], paper: _Paper) -> None:
    kind, inside, cells = "", 0, 0
    value: list[str] = []

    def start(element: str, attributes: dict[str, str]) -> None:
        nonlocal kind, inside, cells
        if element == "c":
            kind = attributes.get("t", "")
            value.clear()
            cells += 1
            if cells > MOST_CELLS:
                raise _Full
        inside += element in ("v", "t")

    def end(element: str) -> None:
        nonlocal inside
        inside -= element in ("v", "t")
        if element == "c":
            told = "".join(value)
            if kind == "s" and told.isdecimal() and int(told) < len(shared):
                told = shared[int(told)]
            paper.write(f"{told}\t")
        elif element == "row":
            paper.write("\n")

    _walk(_member(archive, name), start, end, lambda text: value.append(text) if inside else None)


# -- PDF ----------------------------------------------------------------------------------------------------


def _pdf(data: bytes, paper: _Paper) -> None:
    try:
        import pypdf
        from pypdf.errors import PyPdfError
    except ImportError as exc:
        raise _Refused("no_library") from exc
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise _Refused("locked")
        count = len(reader.pages)
        for number in range(min(count, _MOST_PAGES)):
            if count > 1:
                paper.write(f"-- {number + 1} --\n")
            paper.write(reader.pages[number].extract_text().strip() + "\n")
        if count > _MOST_PAGES:
            raise _Full
    except PyPdfError as exc:
        raise _Refused("damaged") from exc


_READERS: Final[dict[str, Callable[[bytes, _Paper], None]]] = {
    "text": _plain,
    "html": _html,
    "zip": _zip,
    "docx": _docx,
    "pptx": _pptx,
    "xlsx": _xlsx,
    "opendocument": _opendocument,
    "pdf": _pdf,
}


def seen(kind: str, data: bytes) -> Seen:
    """Return what a file says; whatever goes wrong becomes a reason."""
    reader, paper = _READERS.get(kind), _Paper()
    if reader is None:
        return Seen(why="unknown")
    try:
        reader(data, paper)
    except _Full:
        return Seen(paper.text, cut=True)
    except _Refused as refused:
        return Seen(paper.text, cut=bool(paper.text), why="" if paper.text.strip() else refused.why)
    except MemoryError:
        return Seen(why="too_large")
    except NotImplementedError:
        return Seen(why="locked")
    except Exception as exc:
        # zipfile and pypdf raise whatever their parts raise; RuntimeError is an encrypted part.
        locked = isinstance(exc, RuntimeError) and "encrypted" in str(exc)
        return Seen(
            paper.text, cut=bool(paper.text), why="" if paper.text.strip() else "locked" if locked else "damaged"
        )
    return Seen(paper.text, why="" if paper.text.strip() else "no_text")


def main() -> None:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sink = sys.stdout.buffer
    sys.stdout = sys.stderr
    data = sys.stdin.buffer.read(LARGEST + 1)
    found = Seen(why="too_large") if len(data) > LARGEST else seen(sys.argv[1] if len(sys.argv) > 1 else "", data)
    sink.write(msgspec.msgpack.encode(found))
    sink.flush()


if __name__ == "__main__":
    main()
