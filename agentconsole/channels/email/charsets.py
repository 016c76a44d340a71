"""Bytes of a mail to text: charset labels as mail programs use them, and encoded words (RFC 2047).

Python's own table is wrong for Korean: Outlook labels CP949 text ``ks_c_5601-1987``, and 8,822 of the 11,172 modern
syllables fail under ``euc_kr``. Codecs that are no mail charsets (``unicode_escape``, ``utf-7``, ``idna`` …) would
turn printable ASCII into controls, so only known labels are obeyed.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import webencodings  # type: ignore[import-untyped]

WORD_LIMIT: Final = 65_536
"""Bytes of one header value that are decoded."""


def _aliases(table: dict[str, str]) -> dict[str, str]:
    return {label: codec for codec, labels in table.items() for label in labels.split()}


_ALIASES: Final = _aliases(
    {
        "cp949": "euc-kr euckr ks_c_5601-1987 ks_c_5601-1989 ks_c_5601 ksc5601 ksc_5601 ks-c-5601-1987 iso-ir-149 "
        "korean windows-949 x-windows-949 ms949 x-ms949 cp949 949 uhc",
        "johab": "johab x-johab cp1361",
        "iso2022_kr": "iso-2022-kr csiso2022kr",
        "gb18030": "gb2312 gbk x-gbk gb_2312-80 csgb2312 cp936 windows-936 gb18030 euc-cn",
        "hz": "hz-gb-2312 hz",
        "cp932": "shift_jis shift-jis sjis x-sjis ms_kanji windows-31j cp932 ms932",
        "iso2022_jp_2": "iso-2022-jp csiso2022jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-ms",
        "iso8859_8": "iso-8859-8-i iso-8859-8-e",
        "cp1252": "iso-8859-1 latin1 latin-1 l1 windows-1252 x-ansi ansi",
        "utf_8": "utf-8 utf8 unicode-1-1-utf-8 unicode utf8mb4 x-unknown-utf-8",
        "utf_16": "utf-16 utf16",
        "utf_16_le": "utf-16le",
        "utf_16_be": "utf-16be",
        "cp437": "cp437 ibm437",
        "cp850": "cp850 ibm850",
        "cp852": "cp852 ibm852",
    }
)
_NO_LABEL: Final = frozenset(
    ["", "us-ascii", "ascii", "ansi_x3.4-1968", "default", "unknown-8bit", "x-unknown", "none"]
)


def codec_for(label: str) -> str | None:
    """Return the Python codec for a charset label of a mail, or None where the label says nothing usable."""
    label = label.strip().strip("\"'").lower()
    if label in _NO_LABEL:
        return None
    if label in _ALIASES:
        return _ALIASES[label]
    found = webencodings.lookup(label)
    if found is None or found.name in ("replacement", "x-user-defined"):
        return None
    return _ALIASES.get(found.name, str(found.codec_info.name))


def guess(data: bytes) -> str:
    """Decode bytes that carry no usable label: UTF-8 if it is, else ISO-2022, Korean, at last Windows Latin."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\x1b$)C" in data:
        return data.decode("iso2022_kr", "replace")
    if b"\x1b$" in data or b"\x1b(J" in data:
        return data.decode("iso2022_jp_2", "replace")
    for codec in ("utf-8-sig", "cp949"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    return data.decode("cp1252", "replace")


def decode(data: bytes, label: str = "") -> str:
    """Decode bytes under a charset label that may be missing, unknown or a lie. Never raises."""
    codec = codec_for(label)
    if codec is None:
        return guess(data)
    if codec == "utf_8":
        text = data.decode("utf-8-sig", "replace")
        broken = text.count("\ufffd")
        if broken * 3 <= len(text) - len(text.encode("ascii", "ignore")):
            return text
        return guess(data)
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(codec, "replace")


_WORD: Final = re.compile(rb"=\?([!-<>@-~]{1,60})\?([bBqQ])\?(.{0,2000}?)\?=", re.DOTALL)
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")


def lenient_base64(data: bytes) -> bytes:
    """Decode base64 with junk, missing padding or a cut end."""
    clean = _NOT_BASE64.sub(b"", data)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    try:
        return base64.b64decode(clean + b"=" * (-len(clean) % 4))
    except binascii.Error:
        return b""


def _word_bytes(kind: bytes, data: bytes) -> bytes:
    if kind in b"bB":
        return b"".join(lenient_base64(piece) for piece in data.split(b"=") if piece)
    return _HEX.sub(lambda found: bytes([int(found.group(1), 16)]), data.replace(b"_", b" "))


def decode_header(value: bytes) -> str:
    """Decode an unfolded header value with encoded words or raw 8-bit bytes.

    Adjacent words of one charset are joined as bytes first, because programs cut them inside a character.
    """
    value = value[:WORD_LIMIT]
    if b"=?" not in value:
        return guess(value)
    out: list[str] = []
    pending: list[bytes] = []
    charset = ""
    at = 0
    for found in _WORD.finditer(value):
        between = value[at : found.start()]
        label = found.group(1).split(b"*", 1)[0].decode("ascii").lower()
        glued = at > 0 and not between.strip()
        if pending and not (glued and label == charset):
            out.append(decode(b"".join(pending), charset))
            pending = []
        if not glued:
            out.append(guess(between))
        charset = label
        pending.append(_word_bytes(found.group(2), found.group(3)))
        at = found.end()
    if pending:
        out.append(decode(b"".join(pending), charset))
    out.append(guess(value[at:]))
    return "".join(out)
