"""What every forked hub needs, imported once."""

from __future__ import annotations

import importlib
import logging
import sqlite3

NEEDED = (
    "agentconsole.channels.email",
    "agentconsole.channels.kannel",
    "agentconsole.channels.registry",
    "agentconsole.channels.telegram",
    "agentconsole.hub.hub",
    "agentconsole.hub.parser",
    "agentconsole.store.embedded",
    "anyio._backends._asyncio",
    "email.mime.message",
    "httpcore._backends.auto",
    "imaplib2",
    "justhtml",
    "phonenumbers",
    "tests.kill.hub",
    "uvicorn.lifespan.off",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
    "zoneinfo",
)

for name in NEEDED:
    importlib.import_module(name)
sqlite3.connect(":memory:").close()
logging.getLogger("hub")
