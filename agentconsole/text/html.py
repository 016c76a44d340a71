"""HTML mail to plain text: linear, bounded, hidden text left out, link targets shown.

Built on the event stream of justhtml, which stayed under 0.3 s of CPU on every bomb tried (a megabyte of ``<``,
50,000 nested ``div``, unclosed comments and attributes), where ``html.parser`` of Python 3.11 took 85 s on 64 KB.
No tree is built, so nesting costs nothing. The result is *not* yet safe for a terminal: an entity such as
``&#27;`` becomes the control it names, which ``text.sanitise`` must see afterwards.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from justhtml import stream

INPUT_LIMIT: Final = 4_000_000
"""Characters of HTML that are read; the rest is left out with a notice."""
OUTPUT_LIMIT: Final = 1_000_000
"""Characters of text that are returned at most."""
QUOTE_DEPTH: Final = 8
"""Levels of quotation that are drawn; without a limit, nested quotes would make the output quadratic."""
LINK_LIMIT: Final = 500
CUT_NOTICE: Final = "[…]"
RULE: Final = "_" * 32


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INVISIBLE: Final = _names("head script style template title noframes object applet svg math datalist")
_VOID: Final = _names("area base br col embed hr img input link meta param source track wbr")
_PARAGRAPH: Final = _names("p h1 h2 h3 h4 h5 h6 ul ol dl pre table blockquote")
_BLOCK: Final = _PARAGRAPH | _names(
    "div section article header footer main nav aside address center form fieldset figure figcaption "
    "li dt dd tr caption thead tbody tfoot body html hr legend details summary"
)
_CLOSED_BY_SAME: Final = _names("li td th tr option dd dt a p")
_HIDDEN: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d]*[1-9])"
    r"|opacity\s*:\s*0(?![.\d]*[1-9])|max-height\s*:\s*0(?![.\d]*[1-9])",
    re.IGNORECASE,
)
_PRE: Final = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)
_OUTLOOK_BORDER: Final = re.compile(r"border-top\s*:\s*solid\s+#(?:e1e1e1|b5c4df)", re.IGNORECASE)
_SPACE: Final = re.compile(r"[ \t\r\n\f\xa0]+")
_TARGET_JUNK: Final = re.compile(r"[\x00-\x20\x7f-\x9f<>]+")


class _Writer:
    """Lines of text with pending breaks, so that blocks never leave more than one blank line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.size = 0
        self.quote = 0
        self._now: list[str] = []
        self._prefix = ""
        self._blank = False
        self._blank_quote = 0
        self._space = False

    @property
    def full(self) -> bool:
        return self.size > OUTPUT_LIMIT

    def put(self, text: str, *, keep_space: bool) -> None:
        if keep_space:
            first, *rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self._add(first)
            for line in rest:
                self.line_break(force=True)
                self._add(line)
            return
        words = _SPACE.sub(" ", text)
        if words.startswith(" "):
            self._space = True
        body = words.strip(" ")
        if body:
            if self._space and self._now:
                self._add(" ")
            self._space = words.endswith(" ")
            self._add(body)

    def cell(self) -> None:
        """Part this table cell from the one before."""
        if self._now:
            self.mark("\t")

    def mark(self, text: str) -> None:
        """Add a bullet or a tab, which counts as the start of the line."""
        self._space = False
        self._add(text)

    def _add(self, text: str) -> None:
        if not text:
            return
        if not self._now:
            if self._blank and self.lines:
                self.lines.append(("> " * min(self.quote, self._blank_quote, QUOTE_DEPTH)).rstrip())
            self._blank = False
            self._prefix = "> " * min(self.quote, QUOTE_DEPTH)
            self.size += len(self._prefix) + 1
        self._now.append(text)
        self.size += len(text)

    def line_break(self, *, force: bool = False) -> None:
        if self._now or force:
            prefix = self._prefix if self._now else "> " * min(self.quote, QUOTE_DEPTH)
            self.lines.append((prefix + "".join(self._now)).rstrip())
            self.size += 1
        self._now = []
        self._space = False

    def paragraph(self) -> None:
        self.line_break()
        self._blank_quote = min(self._blank_quote, self.quote) if self._blank else self.quote
        self._blank = True

    def text(self) -> str:
        self.line_break()
        return "\n".join(self.lines).strip("\n")


class _Walker:
    def __init__(self) -> None:
        self.out = _Writer()
        self._open: list[str] = []
        self._count: Counter[str] = Counter()
        self._hidden_from: int | None = None
        self._pre: list[int] = []
        self._lists: list[tuple[int, int]] = []
        self._link = ""
        self._link_text: list[str] = []

    def start(self, name: str, attrs: dict[str, str | None]) -> None:
        if name in _CLOSED_BY_SAME:
            if name == "a" and self._count["a"]:
                self.end("a")
            elif self._open and self._open[-1] == name:
                self.end(name)
        elif name in _BLOCK and self._open and self._open[-1] == "p":
            self.end("p")
        style = attrs.get("style") or ""
        hidden = name in _INVISIBLE or "hidden" in attrs or (bool(style) and bool(_HIDDEN.search(style)))
        if name not in _VOID:
            self._open.append(name)
            self._count[name] += 1
            if hidden and self._hidden_from is None:
                self._hidden_from = len(self._open)
        if self._hidden_from is not None or hidden:
            return
        depth = len(self._open)
        if name in _PARAGRAPH:
            self.out.paragraph()
        elif name in _BLOCK:
            self.out.line_break()
        if name == "pre" or (name not in _VOID and style and _PRE.search(style)):
            self._pre.append(depth)
        self._special(name, attrs, style)

    def _special(self, name: str, attrs: dict[str, str | None], style: str) -> None:
        out = self.out
        if name == "br":
            out.line_break(force=True)
        elif name == "hr" or attrs.get("id") == "divRplyFwdMsg" or (style and _OUTLOOK_BORDER.search(style)):
            out.line_break()
            out.mark(RULE)
            out.line_break()
        elif name == "blockquote":
            out.quote += 1
        elif name in ("ul", "ol"):
            self._lists.append((len(self._open), 0 if name == "ul" else 1))
        elif name == "li":
            depth, number = self._lists[-1] if self._lists else (0, 0)
            out.mark(f"{number}. " if number else "- ")
            if number:
                self._lists[-1] = (depth, number + 1)
        elif name in ("td", "th"):
            out.cell()
        elif name == "img":
            alt = (attrs.get("alt") or "").strip()
            if alt:
                self.text(f"[{alt[:LINK_LIMIT]}]")
        elif name == "a":
            self._link = _TARGET_JUNK.sub("", attrs.get("href") or "")
            self._link_text = []

    def end(self, name: str) -> None:
        if not self._count[name]:
            if name == "p":
                self.out.paragraph()
            return
        while self._open:
            found = self._open.pop()
            self._count[found] -= 1
            self._leave(found)
            if found == name:
                return

    def _leave(self, name: str) -> None:
        depth = len(self._open) + 1
        if self._hidden_from is not None:
            if depth <= self._hidden_from:
                self._hidden_from = None
            return
        if self._pre and self._pre[-1] >= depth:
            self._pre.pop()
        if self._lists and self._lists[-1][0] >= depth:
            self._lists.pop()
        if name == "a":
            self._end_link()
        if name == "blockquote":
            self.out.paragraph()
            self.out.quote = max(0, self.out.quote - 1)
        elif name in _PARAGRAPH:
            self.out.paragraph()
        elif name in _BLOCK:
            self.out.line_break()

    def close(self) -> None:
        """Show the target of a link that the document never closed."""
        self._end_link()

    def _end_link(self) -> None:
        target, self._link = self._link, ""
        shown = _SPACE.sub("", "".join(self._link_text))
        self._link_text = []
        if not target or target.startswith("#"):
            return
        bare = target.removeprefix("mailto:").removeprefix("tel:")
        if shown in (target, bare, target.rstrip("/"), target.split("://", 1)[-1].rstrip("/")):
            return
        cut = target if len(target) <= LINK_LIMIT else target[:LINK_LIMIT] + "…"
        self.out.put(f" <{cut}>", keep_space=False)

    def text(self, data: str) -> None:
        if self._hidden_from is not None:
            return
        if self._link:
            self._link_text.append(data)
        self.out.put(data, keep_space=bool(self._pre))


def to_text(html: str) -> str:
    """Return what a person would read in ``html``, as plain text.

    Quotations get ``> `` so that ``text.quoting`` can fold them, links show their target where it differs from the
    link's words, table cells are parted by tabs, and text that a mail program would not show is left out.

    Args:
        html: at most ``INPUT_LIMIT`` characters are read; what was left out is marked with ``[…]``.
    """
    walker = _Walker()
    cut = len(html) > INPUT_LIMIT
    for kind, data in stream(html[:INPUT_LIMIT]):
        if walker.out.full:
            cut = True
            break
        if kind == "text" and isinstance(data, str):
            walker.text(data)
        elif kind == "start" and isinstance(data, tuple) and isinstance(data[0], str) and isinstance(data[1], dict):
            walker.start(data[0].lower(), data[1])
        elif kind == "end" and isinstance(data, str):
            walker.end(data.lower())
    walker.close()
    text = walker.out.text()[:OUTPUT_LIMIT]
    return f"{text}\n{CUT_NOTICE}" if cut else text
