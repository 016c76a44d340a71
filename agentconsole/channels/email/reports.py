"""Delivery reports (RFC 3464): what became of a mail of ours. Only a report that names a Message-ID says anything.

A report proves nothing by itself, since anybody can write one: the hub obeys it only where the id it names is one
of ours, which nobody but the recipient can know.
"""

from __future__ import annotations

import re
from typing import Final

from agentconsole.channels.email import headers
from agentconsole.channels.email.addresses import mailboxes
from agentconsole.channels.email.structure import Part, Tree
from agentconsole.domain.model import Address, Delivery
from agentconsole.ports import AddressEvent, Opaque, Parsed, StatusReport

RECIPIENT_LIMIT: Final = 50
_STATUS: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_ID: Final = re.compile(rb"<([^<>\s]{1,900})>")
DEAD: Final = frozenset(["5.1.1", "5.1.10"])
"""Bad destination mailbox, and a recipient that refuses all mail (RFC 3463, 7505)."""


def is_report(part: Part) -> bool:
    return part.type == "multipart/report" and part.parameters.get("report-type", "").lower() in (
        "delivery-status",
        "disposition-notification",
    )


def read(tree: Tree, identity: str) -> list[Parsed]:
    """Return what a delivery report says, or nothing where it names no message (it is a letter to read then)."""
    if tree.root.parameters.get("report-type", "").lower() == "disposition-notification":
        return [Opaque(identity, "disposition notification")]
    status = next((leaf for leaf in tree.root.leaves() if leaf.type == "message/delivery-status"), None)
    original = _original_id(tree)
    if status is None or not original:
        return []
    found: list[Parsed] = []
    groups = re.split(rb"\r?\n[ \t]*\r?\n", tree.content(status).strip())[: RECIPIENT_LIMIT + 1]
    failed = False
    for number, group in enumerate(groups):
        block = headers.split(group + b"\r\n\r\n", 0, len(group) + 4)
        if block.text("action").lower() != "failed":
            continue
        code = _code(block)
        if not failed:
            detail = " ".join(part for part in (code, _diagnostic(block)) if part)
            found.append(StatusReport(identity, Delivery.FAILED, key=original, reason="bounced", detail=detail))
        failed = True
        address = _recipient(block)
        if code in DEAD and address is not None:
            found.append(AddressEvent(f"{identity}:{number}", address, "bounced"))
    return found or [Opaque(identity, "delivery report")]


def _original_id(tree: Tree) -> str:
    for leaf in tree.root.leaves():
        if leaf.type in ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"):
            content = tree.content(leaf)
            try:
                block = headers.split(content, 0, len(content))
            except ValueError:
                continue
            match = _ID.search(block.raw("message-id"))
            if match:
                return match.group(1).decode("latin-1")
    return ""


def _code(block: headers.Block) -> str:
    """Return the enhanced status; the remote server's own words win over a general ``5.0.0``."""
    for field in ("status", "diagnostic-code"):
        match = _STATUS.search(block.text(field))
        if match and not match.group(1).endswith(".0.0"):
            return match.group(1)
    match = _STATUS.search(block.text("status"))
    return match.group(1) if match else ""


def _diagnostic(block: headers.Block) -> str:
    _, _, words = block.text("diagnostic-code").partition(";")
    return headers.one_line(words, 200)


def _recipient(block: headers.Block) -> Address | None:
    for field in ("original-recipient", "final-recipient"):
        _, _, value = block.raw(field).partition(b";")
        for box in mailboxes(value):
            if box.clean and box.address is not None:
                return box.address
    return None
