"""A hub in a process of its own, over a store and one Telegram account, whose clock runs fast.

python -m proofs.hubprocess ROOT SOCKET URL TOKEN
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path

from agentconsole.channels.telegram import KIND
from agentconsole.domain.model import AccountName
from agentconsole.hub.hub import Hub
from agentconsole.hub.parser import InlineParser
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.seams import Steps, SystemRandomness
from agentconsole.secret import Secret
from agentconsole.store.embedded import EmbeddedStore
from proofs.faulty import TOKEN, QuickClock


async def serve(root: Path, socket: Path, url: str) -> None:
    clock, random = QuickClock(), SystemRandomness()
    accounts = [AccountSetup(AccountName("tg"), KIND, KIND.options(token=Secret("env", TOKEN), base_url=url))]
    async with EmbeddedStore(root, clock=clock, random=random, steps=Steps()) as store:
        parser = InlineParser({KIND.name: KIND})
        hub = Hub(HubProfile(free_floor=0), accounts, store, parser, clock, random, logging.getLogger("hub"))
        await hub.run(socket)


def main() -> None:
    root, socket, url, token = sys.argv[1:]
    os.environ[TOKEN] = token
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(Path(root), Path(socket), url))


if __name__ == "__main__":
    main()
