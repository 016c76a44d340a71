"""Pictures: shown by a process of its own, which no stranger's bytes get beyond."""

from __future__ import annotations

import os
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from tests.pty.harness import PYTHON

LIBRARY = "class Image:\n    def __init__(self, picture, **_):\n        self.size = picture.size\n"
LIBRARY += "    def __rich_console__(self, console, options):\n        yield f'PICTURE {self.size}'\n"


def png(width: int, height: int) -> bytes:
    """A black picture; of a large one only the beginning is there, as in a bomb."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = min(height, 100)
    data = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(rows)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Stands in for textual-image, which asks a real terminal what it can draw."""
    made = tmp_path / "library" / "textual_image"
    made.mkdir(parents=True)
    (made / "__init__.py").touch()
    (made / "renderable.py").write_text(LIBRARY)
    return made.parent


def shown(picture: Path, library: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": f"{library}:{Path(__file__).parents[2]}"}
    command = [PYTHON, "-m", "agentconsole.files.picture", str(picture), "[/] go back"]
    return subprocess.run(command, env=environ, input="\n", capture_output=True, text=True, check=False)


def test_a_picture_is_shown_until_a_line_ends(tmp_path: Path, library: Path):
    (tmp_path / "a.png").write_bytes(png(30, 20))
    done = shown(tmp_path / "a.png", library)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PICTURE (30, 20)" in done.stdout
    assert "[/] go back" in done.stdout


@pytest.mark.parametrize("data", [b"no picture", png(20_000, 20_000), b""], ids=["other", "bomb", "empty"])
def test_what_is_no_picture_ends_the_process_and_says_nothing(tmp_path: Path, library: Path, data: bytes):
    (tmp_path / "a.png").write_bytes(data)
    done = shown(tmp_path / "a.png", library)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
