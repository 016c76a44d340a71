import pytest

from agentconsole.text.html import CUT_NOTICE, INPUT_LIMIT, to_text
from agentconsole.text.quoting import Kind, segments
from tests.effort import costs_at_most


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain words", "plain words"),
        ("<p>One<p>Two", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<b>안녕</b> 하세요&nbsp;  &amp;\n 끝", "안녕 하세요 & 끝"),
        ("<ul><li>one<li>two</ul><ol><li>x</li><li>y</li></ol>", "- one\n- two\n\n1. x\n2. y"),
        ("<table><tr><td>사과</td><td>3</td></tr><tr><td>배<td>4</table>", "사과\t3\n배\t4"),
        ("<pre>  a\n   b</pre>c", "  a\n   b\n\nc"),
        ("a<hr>b", "a\n" + "_" * 32 + "\nb"),
        ('<img src="x" alt="logo">after', "[logo]after"),
        ("<title>t</title><style>p{}</style><script>x()</script>seen", "seen"),
        ("<blockquote>old<br>older</blockquote>new", "> old\n> older\n\nnew"),
        ("x<!-- <p>no</p> -->y", "xy"),
    ],
)
def test_shows_what_a_person_reads(html: str, text: str) -> None:
    assert to_text(html) == text


@pytest.mark.parametrize(
    "style",
    ["display:none", "DISPLAY : None !important", "visibility:hidden", "font-size:0px", "mso-hide:all", "opacity:0"],
)
def test_leaves_out_what_a_mail_program_hides(style: str) -> None:
    assert to_text(f'seen<div style="{style}">trap<p>deeper</p></div> too') == "seen too"


@pytest.mark.parametrize("style", ["font-size:0.9em", "opacity:0.5", "display:block", "max-height:05px"])
def test_keeps_what_is_only_small(style: str) -> None:
    assert "words" in to_text(f'<div style="{style}">words</div>')


def test_hidden_attribute_and_its_end() -> None:
    assert to_text("<p hidden>trap<p>seen") == "seen"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="https://evil.test/x">https://bank.test</a>', "https://bank.test <https://evil.test/x>"),
        ('<a href="https://a.test/">https://a.test</a>', "https://a.test"),
        ('<a href="mailto:me@a.test">me@a.test</a>', "me@a.test"),
        ('<a href="#top">up</a>', "up"),
        ('<a href="javascript:x()">click</a>', "click <javascript:x()>"),
        ('<a href="https://a.test/ \n<b>">x</a>', "x <https://a.test/b>"),
        ('<a href="https://never.closed">x', "x <https://never.closed>"),
    ],
)
def test_shows_where_a_link_leads(html: str, text: str) -> None:
    assert to_text(html) == text


def test_quotes_nest_and_can_be_folded() -> None:
    text = to_text("새 글<blockquote>옛 글<blockquote>더 옛 글</blockquote></blockquote>끝")
    assert [text[s.start : s.end].strip() for s in segments(text) if s.kind is Kind.TEXT] == ["새 글", "끝"]
    assert "> > 더 옛 글" in text


def test_outlook_reply_header_becomes_foldable() -> None:
    html = (
        "<p>Thanks</p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt'><p><b>From:</b> Shop "
        "&lt;s@shop.test&gt;<br><b>Sent:</b> Monday<br><b>To:</b> Emily<br><b>Subject:</b> Hi</p></div></div><p>old</p>"
    )
    text = to_text(html)
    assert [s.kind for s in segments(text)] == [Kind.TEXT, Kind.QUOTE]
    assert text[: segments(text)[0].end].strip() == "Thanks"


@pytest.mark.parametrize(
    "bomb",
    [
        "<div>" * 50_000,
        "<a " * 22_000,
        "<a b='" * 20_000,
        "<!--" * 65_000,
        "<p " + " ".join(f"a{i}=1" for i in range(60_000)) + ">x",
        "<table><tr><td>" * 10_000,
        "<blockquote>x" * 20_000,
        "<a href=y>x" * 20_000,
        "<i>" * 50_000 + "</b>" * 50_000,
        "&" * 300_000,
        "<" * 150_000,
        '<p style="' + "display :" * 50_000 + '">x',
        "<ol><li>x" * 20_000,
    ],
    ids=lambda bomb: bomb[:8],
)
def test_bombs_cost_little(bomb: str) -> None:
    assert len(costs_at_most(2.0, lambda: to_text(bomb))) < 3 * len(bomb)


def test_says_when_something_was_left_out() -> None:
    assert to_text("x" * (INPUT_LIMIT + 5)).endswith(CUT_NOTICE)
