"""Attachments as text: what is read, and that hostile bytes cost a process and nothing else."""

from __future__ import annotations

import io
import zipfile

import pytest

from agentconsole.domain.model import Attachment
from agentconsole.files import look_worker, looking

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
ODF = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'


def packed(**parts: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/").replace("-", ".") + ".xml", text)
    return made.getvalue()


def pdf(text: str) -> bytes:
    """A PDF of one page, by hand, so that no writer is needed."""
    stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(made),
    )


DOCX = packed(
    word__document=f"<w:document {W}><w:body><w:p><w:r><w:t>Hello</w:t></w:r><w:r><w:tab/><w:t>there</w:t></w:r></w:p>"
    "<w:p><w:r><w:t>두 번째</w:t></w:r></w:p></w:body></w:document>"
)
XLSX = packed(
    xl__sharedStrings=f"<sst {S}><si><t>name</t></si><si><r><t>Emi</t></r><r><t>ly</t></r></si></sst>",
    xl__worksheets__sheet1=f'<worksheet {S}><sheetData><row><c t="s"><v>0</v></c><c><v>12</v></c></row>'
    '<row><c t="s"><v>1</v></c><c t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>',
)
PPTX = packed(ppt__slides__slide1=f"<p {A}><a:p><a:r><a:t>A slide</a:t></a:r></a:p></p>")
ODT = packed(content=f"<office {ODF}><text:h>Head</text:h><text:p>one<text:tab/>two</text:p></office>")


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("text", "안녕하세요".encode(), "안녕하세요"),
        ("text", "안녕하세요".encode("cp949"), "안녕하세요"),
        ("text", "hello".encode("utf-16"), "hello"),
        ("html", b"<p>Hello <b>there</b><script>x</script></p>", "Hello there"),
        ("docx", DOCX, "Hello\tthere\n두 번째"),
        ("xlsx", XLSX, "-- 1 --\nname\t12\t\nEmily\tx"),
        ("pptx", PPTX, "-- 1 --\nA slide"),
        ("opendocument", ODT, "Head\none\ttwo"),
        ("pdf", pdf("Label 8812"), "Label 8812"),
    ],
)
def test_what_a_file_says(kind: str, data: bytes, text: str):
    assert look_worker.seen(kind, data).text.strip() == text


def test_a_zip_is_listed_and_not_unpacked():
    found = look_worker.seen("zip", packed(a="x" * 1000, b="y"))
    assert "1,000" in found.text
    assert "a.xml" in found.text


BOMB = f'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:p {W}><w:t>&b;</w:t></w:p>'
OUTSIDE = f'<!DOCTYPE x SYSTEM "file:///etc/passwd"><w:p {W}><w:t>x</w:t></w:p>'


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("docx", packed(word__document=BOMB), "damaged"),
        ("docx", packed(word__document=OUTSIDE), "damaged"),
        ("docx", b"no zip", "damaged"),
        ("docx", packed(other="x"), "damaged"),
        ("docx", packed(word__document=f"<w:p {W}/>"), "no_text"),
        ("pdf", b"%PDF-1.4 nothing", "damaged"),
        ("pdf", pdf(""), "no_text"),
        ("text", b"\x00\x01", "no_text"),
        ("picture", b"", "unknown"),
        ("xlsx", packed(xl__sharedStrings=BOMB), "damaged"),
    ],
)
def test_what_says_nothing_says_why(kind: str, data: bytes, why: str):
    assert look_worker.seen(kind, data).why == why


def test_a_part_that_unpacks_to_very_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(look_worker, "LARGEST", 1_000_000)
    large = packed(word__document=f"<w:p {W}>" + " " * 3_000_000 + "</w:p>")
    assert len(large) < 10_000
    assert look_worker.seen("docx", large).why == "too_large"


def test_a_long_text_is_cut():
    found = look_worker.seen("text", b"x" * (look_worker.LONGEST + 1))
    assert (len(found.text), found.cut) == (look_worker.LONGEST, True)


async def test_the_process_apart_answers_with_text_that_is_safe_to_draw():
    found = await looking.read("text", b"one\x1b]52;c;eA==\x07two\xe2\x80\xae")
    assert "\x1b" not in found.text
    assert "\u202e" not in found.text
    assert found.text.startswith("one")


async def test_a_process_that_dies_or_lasts_costs_nothing_else(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(looking, "DEADLINE", 0.0)
    assert (await looking.read("text", b"x")).why == "too_slow"
    monkeypatch.setattr(looking.sys, "executable", "/bin/false")
    monkeypatch.setattr(looking, "DEADLINE", 30.0)
    assert (await looking.read("text", b"x")).why == "failed"
    monkeypatch.setattr(looking.sys, "executable", "/nowhere/python")
    assert (await looking.read("text", b"x")).why == "failed"


@pytest.mark.parametrize(
    ("name", "type_", "kind"),
    [
        ("a.pdf", "application/octet-stream", "pdf"),
        ("a", "text/csv", "text"),
        ("a.docx", "", "docx"),
        ("a.exe", "application/x-dosexec", ""),
        ("a.png", "image/png", ""),
    ],
)
def test_type_and_name_tell_the_kind(name: str, type_: str, kind: str):
    assert looking.kind_of(Attachment(name, type_, 1)) == kind
    assert looking.is_picture(Attachment(name, type_, 1)) == name.endswith("png")
