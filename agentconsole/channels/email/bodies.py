"""What a person wrote, out of a MIME tree: one text, and the files that came along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from agentconsole.channels.email import headers
from agentconsole.channels.email.charsets import codec_for, decode
from agentconsole.channels.email.structure import Part as MimePart
from agentconsole.channels.email.structure import Tree
from agentconsole.ports import Part
from agentconsole.text import html

TEXT_LIMIT: Final = 400_000
"""Characters of a message that are kept as text; the raw mail is kept whole."""

_FILES: Final = frozenset(["text/calendar", "text/csv", "text/vcard", "text/x-vcard", "text/directory"])
_STUB: Final = re.compile(
    r"HTML.{0,80}(?:view|mail|reader|client|browser|support|지원|메일|브라우저)"
    r"|(?:view|requires?|use|지원).{0,80}HTML",
    re.IGNORECASE | re.DOTALL,
)
_META_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_\-]{1,40})", re.IGNORECASE)
_ENDINGS: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "application/pdf": "pdf",
    "text/calendar": "ics",
    "message/rfc822": "eml",
    "text/html": "html",
    "text/plain": "txt",
    "application/zip": "zip",
    "application/pkcs7-signature": "p7s",
    "application/pgp-signature": "asc",
}


class Body:
    """The readable side of a message.

    Args:
        tree: the message.

    Attributes:
        text: all readable parts in order, ``\\n`` between lines.
        files: everything else, with names that are safe to show.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._files: list[MimePart] = []
        texts = list(self._texts(tree.root))
        joined = "\n\n".join(text.strip("\n") for text in texts if text.strip())
        notices = []
        if tree.left_out:
            notices.append("[parts of this mail were left out: it is nested or cut too often]")
        if len(joined) > TEXT_LIMIT:
            joined = joined[:TEXT_LIMIT]
            notices.append("[the text was cut here: it is too long]")
        self.text = "\n".join([joined, *notices]).strip("\n")
        self.files = tuple(self._file(part, number) for number, part in enumerate(self._files, 1))

    def _texts(self, part: MimePart) -> Iterator[str]:
        if not part.children:
            if self._is_text(part):
                yield self._text(part)
            else:
                self._files.append(part)
        elif part.type == "multipart/alternative":
            yield from self._alternative(part)
        else:
            for child in part.children:
                yield from self._texts(child)

    @staticmethod
    def _is_text(part: MimePart) -> bool:
        if not part.type.startswith("text/") or part.type in _FILES:
            return False
        return part.disposition != "attachment" and not part.filename

    def _alternative(self, part: MimePart) -> Iterator[str]:
        """Take the plain version unless it is empty or only says that there is an HTML version."""
        outer, self._files = self._files, []
        versions: list[tuple[bool, list[str]]] = []
        for child in part.children:
            plain = child.type == "text/plain"
            versions.append((plain, [text for text in self._texts(child) if text.strip()]))
        files, self._files = self._files, outer
        self._files.extend(files)
        rich = next((texts for plain, texts in reversed(versions) if not plain and texts), None)
        for plain, texts in versions:
            said = "\n".join(texts).strip()
            if plain and said and not (rich and len(said) < 300 and _STUB.search(said)):
                yield from texts
                return
        yield from rich or next((texts for _, texts in versions if texts), [])

    def _text(self, part: MimePart) -> str:
        data = self._tree.content(part)
        label = part.parameters.get("charset", "")
        if part.type == "text/html":
            if codec_for(label) is None and (found := _META_CHARSET.search(data, 0, 4096)):
                label = found.group(1).decode("ascii")
            return html.to_text(decode(data, label))
        text = decode(data, label).replace("\r\n", "\n").replace("\r", "\n")
        if part.parameters.get("format", "").lower() == "flowed":
            text = _unflow(text, part.parameters.get("delsp", "").lower() == "yes")
        return text

    def _file(self, part: MimePart, number: int) -> Part:
        kind = part.type
        ending = _ENDINGS.get(kind, "bin")
        name = part.filename
        data = self._tree.content(part)
        if kind == "message/rfc822" and not name:
            try:
                name = f"{headers.split(data, 0, len(data)).decoded('subject')[:80]}.eml".lstrip(".")
            except ValueError:
                name = ""
        return Part(headers.safe_name(name, f"{kind.partition('/')[0]}{number}.{ending}"), kind, data)


def _unflow(text: str, drop_space: bool) -> str:
    """Join the soft lines of ``format=flowed`` (RFC 3676); quoted lines are left as they are."""
    out: list[str] = []
    soft: list[str] = []
    for line in text.split("\n"):
        quoted = line.startswith(">")
        if soft and quoted:
            out.append("".join(soft))
            soft = []
        line = line[1:] if line.startswith(" ") else line
        if line.endswith(" ") and line != "-- " and not quoted:
            soft.append(line[:-1] if drop_space else line)
            continue
        out.append("".join([*soft, line]))
        soft = []
    if soft:
        out.append("".join(soft))
    return "\n".join(out)
