"""The e-mail channel: a ``Mailbox`` that reads and ``Submission`` sessions that send."""

from __future__ import annotations

import asyncio
from datetime import datetime

from agentconsole.channels.email import tls
from agentconsole.channels.email.compose import Letter, compose
from agentconsole.channels.email.mailbox import Mailbox
from agentconsole.channels.email.options import DEADLINES, Deadlines, EmailOptions
from agentconsole.channels.email.smtp import Submission, wire_form
from agentconsole.domain.model import AccountName
from agentconsole.ports import Batch, Commit, Cursor, Outgoing, Report, Tools


class EmailChannel:
    """One mailbox with its way out (implements ``ports.Channel``). Does not connect before it is asked to.

    Args:
        deadlines: how long the servers may take.
    """

    def __init__(
        self, account: AccountName, options: EmailOptions, tools: Tools, deadlines: Deadlines = DEADLINES
    ) -> None:
        self._deadlines = deadlines
        self._account = account
        self._options = options
        self._tools = tools
        self._mailbox = Mailbox(options, tools, deadlines)
        self._last: Submission | None = None

    async def fetch(self, cursor: Cursor | None) -> Batch:
        return await self._mailbox.fetch(cursor)

    async def wait(self) -> None:
        await self._mailbox.wait()

    async def send(self, outgoing: Outgoing, commit: Commit) -> Report:
        """See ``ports.Channel.send``; the table in ``smtp`` says which answer means what."""
        now = self._tools.clock.now()

        def prepare() -> tuple[Letter, bytes]:
            letter = compose(outgoing, self._options.own, self._options.name, now)
            return letter, wire_form(letter.content)

        letter, wire = await asyncio.get_running_loop().run_in_executor(self._tools.worker, prepare)
        session = await self._open()
        words = await session.deliver(letter, wire, commit)
        self._leave(session)
        return Report(outgoing.key, detail=words)

    async def _open(self) -> Submission:
        server = self._options.smtp
        loop = asyncio.get_running_loop()
        context, password = await loop.run_in_executor(
            self._tools.worker, lambda: (tls.context(self._options.ca_file), tls.reveal(server.password))
        )
        domain = self._options.own.rpartition("@")[2]
        session = Submission(server, context, domain if domain.isascii() else "localhost", self._deadlines)
        await session.open(password)
        return session

    def _leave(self, session: Submission) -> None:
        """Let the session end by itself, and cut the one before if its server still has not said good-bye."""
        if self._last is not None:
            self._last.drop()
        session.leave()
        self._last = session

    @property
    def can_look(self) -> bool:
        return bool(self._options.imap.sent_folder)

    async def look(self, outgoing: Outgoing, since: datetime, known: frozenset[str]) -> Report | None:
        """Look for the provider's own copy of the mail; see ``ports.channel.Asked``. Nothing of ours is put into that
        folder, so what lies there was taken by the provider."""
        found = self.can_look and await self._mailbox.sent(outgoing.key)
        return Report(outgoing.key, detail=f"a copy lies in {self._options.imap.sent_folder}") if found else None

    async def probe(self) -> str:
        """Sign in to both servers, on lines of their own, and change nothing."""
        found = await self._mailbox.probe()
        session = await self._open()
        self._leave(session)
        imap, smtp = self._options.imap.host, self._options.smtp.host
        return f"Signed in to {imap}, where {found}, and to {smtp}, which takes replies."

    async def aclose(self) -> None:
        await self._mailbox.aclose()
        session, self._last = self._last, None
        if session is not None:
            session.drop()
        # A dropped transport closes its socket in the next two turns of the loop.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
