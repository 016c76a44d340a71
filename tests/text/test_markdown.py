"""Text in Markdown shows itself and is never markup; judged by a CommonMark parser that is not ours."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from agentconsole.text.markdown import inline, quoted
from agentconsole.text.sanitise import sanitise

HOSTILE = [
    "# no heading",
    "* no list\n- nor this\n+ nor that\n1. nor one\n2) nor two",
    "no rule\n---\n***\n===",
    "[a](http://evil.example) ![b](x) <b>bold</b> <script>alert(1)</script> &lt;",
    "http://evil.example www.evil.example evil@example.com",
    "`code` ```\nfence\n```",
    "    four blanks are no code\n\ttab",
    "> no quote\n>> at all",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "_stress_ *stress* ~~strike~~ \\* backslash\\",
    "line one\nline two\n\n\nafter a gap",
    "[ref]: http://evil.example",
    "안녕하세요 [링크](x) 반품 *요청*",
    "ends in a backslash\\\nand goes on\\",
    ":smile: $x^2$",
    "\x1b[31mred\x1b[0m \u202eevil\u202c",
]
CORPUS = Path(__file__).parents[1] / "data" / "hostile-strings.json"


def shown(markdown: str) -> str:
    """Return what a reader sees of Markdown, and fail where it holds more than quotation, paragraph and line break."""
    made = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)
    tags = set(re.findall(r"</?([a-zA-Z0-9]+)", made))
    assert tags <= {"blockquote", "p", "br"}, (markdown, made)
    text = re.sub(r"<br ?/?>\n?", "\n", made)
    text = text.replace("</p>\n<p>", "\n\n")
    return html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\xa0", " ").strip("\n")


def plain(text: str) -> list[str]:
    """Return the lines of a text as a reader sees them: several empty lines look like one."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return [line for line in lines if line]


def texts() -> list[str]:
    return [*HOSTILE, *(str(text) for text in _strings(json.loads(CORPUS.read_text(encoding="utf-8"))))]


def _strings(found: object) -> list[str]:
    if isinstance(found, str):
        return [found]
    if isinstance(found, dict):
        return [text for value in found.values() for text in _strings(value)]
    return [text for value in found for text in _strings(value)] if isinstance(found, list) else []


def test_every_text_shows_itself_and_makes_nothing():
    for text in texts():
        assert plain(shown(quoted(text))) == plain(sanitise(text)), text


@pytest.mark.parametrize("text", HOSTILE)
def test_one_line_within_a_line_makes_nothing(text: str):
    made = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(f"## {inline(text)}\n")
    assert set(re.findall(r"</?([a-zA-Z0-9]+)", made)) == {"h2"}, made
