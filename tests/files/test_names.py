"""Names from outside before they touch a disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.files import names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("label.pdf", "label.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\evil.exe", "evil.exe"),
        (".bashrc", "bashrc"),
        ("...", "file"),
        ("", "file"),
        ("con.txt", "_con.txt"),
        ("COM1", "_COM1"),
        ("aux", "_aux"),
        ("배송 안내.pdf", "배송 안내.pdf"),
        ("a/b/", "b"),
        ('q?u*o"te<d>|:.txt', "q_u_o_te_d___.txt"),
        ("-rf", "rf"),
        ("name. ", "name"),
    ],
)
def test_a_name_becomes_harmless(name: str, safe: str):
    assert names.safe(name) == safe


@given(st.text(max_size=400))
def test_whatever_comes_one_plain_name_results(name: str):
    found = names.safe(name)
    assert found
    assert len(found.encode("utf-8")) <= 255
    assert not set(found) & set('/\\\0\n\r\t\x1b:*?"<>|\u202e\u2066')
    assert found[0] not in ".-~ "
    assert found[-1] not in " ."
    assert names.safe(found) == found


def test_numbers_and_sizes():
    assert names.numbered("label.pdf", 1) == "label.pdf"
    assert names.numbered("label.pdf", 2) == "label (2).pdf"
    assert names.numbered("README", 3) == "README (3)"
    assert [names.size(n) for n in (12, 12_345, 3_400_000)] == ["12 B", "12 KB", "3.4 MB"]
