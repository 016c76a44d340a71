"""What ``init`` learns from the first mails: under which name the mail server writes what it found out about senders.

Until that is configured nobody tells genuine senders from forged ones, and guessing it is hard for people: it stands in
every mail they got.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agentconsole.desk import Agent, Desk
from agentconsole.domain.entries import Received
from agentconsole.domain.model import AccountName, EntryId

MAILS = 50
"""Mails that are looked at."""
HEADER_BYTES = 65_536
KIND = "email"
KEY = "authserv_id"


async def server_name(desk: Desk, who: Agent, account: AccountName) -> str:
    """Return the name that the newest mails of an account agree on; empty where they do not, or are too few."""
    from agentconsole.channels.email import authentication, headers

    tops: list[str] = []
    customers: set[str] = set()
    page = await desk.queue(who, "all", 0, MAILS * 2)
    for line in page.lines:
        if line.customer in customers or len(tops) >= MAILS:
            continue
        customers.add(line.customer)
        timeline = await desk.timeline(who, line.customer, EntryId(""), 5)
        for entry in timeline.entries:
            if isinstance(entry, Received) and entry.account == account and entry.raw:
                raw = await desk.blob(who, line.customer, entry.raw, 0, HEADER_BYTES)
                tops.append(authentication.topmost(headers.split(raw, 0, len(raw))))
    return authentication.learned(tops)


def remembered(text: str, profile: str, account: str, name: str) -> str:
    """Return a configuration with the account's key set; everything else stays as it is, comments included."""
    import tomlkit

    document: Any = tomlkit.parse(text)
    document["profiles"][profile]["channels"][account][KEY] = name
    return tomlkit.dumps(document)


def proposal(path: Path, name: str) -> tuple[str, str]:
    """Return the question, and what is told where nobody can be asked."""
    question = f"Your mail server writes its findings about senders as {name}. Believe what stands there?"
    return (
        question,
        f'To tell genuine senders from forged ones, set {KEY} = "{name}" in {path}, then: agentconsole restart',
    )
