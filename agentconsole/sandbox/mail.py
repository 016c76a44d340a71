"""A mail server on loopback: IMAP by pymap, SMTP by aiosmtpd, both real servers from PyPI (extra ``demo``).

One mailbox. What customers write is delivered into its inbox, where IDLE sees it; what we submit is kept and told
to whoever listens.
"""

from __future__ import annotations

import asyncio
import hmac
import warnings
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, DictBackend
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage

from agentconsole.sandbox.loopback import HOST

ADDRESS: Final = "support@harbour-eye.example"
PASSWORD: Final = "a-password-of-the-sandbox"  # noqa: S105 -- opens nothing but the sandbox
SIZE_LIMIT: Final = 30_000_000
_ANNOUNCE_AGAIN: Final = (0.3, 1.0, 3.0)
"""Seconds after a delivery."""


@dataclass(frozen=True)
class SentMail:
    """A mail that we submitted, as its receiver gets it."""

    to: str
    subject: str
    text: str
    message_id: str
    references: str


class _Listener:
    """A listening port whose connections can be cut and that comes back on the same port."""

    def __init__(self, make: Callable[[], asyncio.Protocol]) -> None:
        self._make = make
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Transport] = set()
        self.port = 0

    async def heal(self) -> None:
        if self._server is None:
            self._server = await asyncio.get_running_loop().create_server(self._protocol, HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in list(self._open):
            transport.abort()
        await asyncio.sleep(0)

    def _protocol(self) -> asyncio.Protocol:
        made = self._make()
        opened, lost, transports = made.connection_made, made.connection_lost, self._open

        def connection_made(transport: Any) -> None:
            transports.add(transport)
            opened(transport)

        def connection_lost(exc: Exception | None) -> None:
            transports.difference_update([t for t in transports if t.is_closing()])
            lost(exc)

        # The servers' classes know nothing of being cut; their two edges are enough to know every line.
        made.connection_made = connection_made  # type: ignore[method-assign]
        made.connection_lost = connection_lost  # type: ignore[method-assign]
        return made


class MailWorld:
    """The mailbox and both servers. ``on_sent`` is called with every mail that reached its receiver."""

    def __init__(self, on_sent: Callable[[SentMail], None] | None = None) -> None:
        self.on_sent = on_sent
        self.sent: list[SentMail] = []
        self._drop_next = False
        self._count = 0
        self._imap: _Listener
        self._smtp = _Listener(self._smtp_protocol)
        self._backend: DictBackend

    @property
    def imap_port(self) -> int:
        return self._imap.port

    @property
    def smtp_port(self) -> int:
        return self._smtp.port

    async def start(self) -> None:
        """Listen on two free ports of loopback, without TLS, which the e-mail channel takes there only."""
        told = Namespace(
            host=HOST,
            port=0,
            debug=False,
            cert=None,
            key=None,
            tls=False,
            proxy_protocol="noop",
            passlib_cfg=None,
            demo_data=False,
            demo_user=ADDRESS,
            demo_password=PASSWORD,
        )
        self._backend, config = await DictBackend.init(told)
        assert isinstance(config, Config)
        config.apply_context()
        serve = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(self._backend.login, config))
        loop = asyncio.get_running_loop()

        def imap_protocol() -> asyncio.Protocol:
            reader = asyncio.StreamReader(loop=loop)
            return asyncio.StreamReaderProtocol(reader, serve, loop=loop)

        self._imap = _Listener(imap_protocol)
        await self.heal()

    async def stop(self) -> None:
        await self.cut()

    async def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        await self._imap.cut()
        await self._smtp.cut()

    async def heal(self) -> None:
        await self._imap.heal()
        await self._smtp.heal()

    def cut_mid_send(self) -> None:
        """Take the next mail, give it to its receiver, and drop the line before answering."""
        self._drop_next = True

    # -- what customers do ---------------------------------------------------------------------------------

    async def customer_says(
        self, name: str, address: str, subject: str, text: str, at: datetime, answers: SentMail | None = None
    ) -> str:
        """Deliver a customer's mail into the inbox and return its Message-ID."""
        self._count += 1
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = formataddr((name, address))
        mail["To"] = ADDRESS
        mail["Subject"] = subject
        mail["Date"] = format_datetime(at)
        mail["Message-ID"] = f"<{self._count}.{int(at.timestamp())}@{address.partition('@')[2]}>"
        if answers is not None:
            mail["In-Reply-To"] = answers.message_id
            mail["References"] = f"{answers.references} {answers.message_id}".strip()
            quoted = "\n".join(f"> {line}" for line in answers.text.splitlines())
            text = f"{text}\n\n{format_datetime(at)}, {ADDRESS}:\n{quoted}\n"
        mail.set_content(text)
        await self._deliver(mail.as_bytes(), at)
        return str(mail["Message-ID"])

    async def _deliver(self, raw: bytes, at: datetime) -> None:
        async with self._backend.login.demo_user_identity.new_session() as session:
            await session.append_messages("INBOX", [AppendMessage(raw, at, frozenset())])
            inbox = await session.mailbox_set.get_mailbox("INBOX")
        # pymap 0.36 does not announce what arrived between a client's last command and its IDLE.
        loop = asyncio.get_running_loop()
        for seconds in _ANNOUNCE_AGAIN:
            loop.call_later(seconds, inbox._updated.set)

    # -- what we do ----------------------------------------------------------------------------------------

    def _smtp_protocol(self) -> SMTP:
        with warnings.catch_warnings():
            # It warns of passwords without TLS; here the line is this machine's own.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(
                self,
                hostname="localhost",
                ident="sandbox",
                data_size_limit=SIZE_LIMIT,
                enable_SMTPUTF8=True,
                authenticator=_sign_in,
                auth_required=True,
                auth_require_tls=False,
            )

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep what was submitted and acknowledge it (called by aiosmtpd)."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = BytesParser(policy=SMTP_POLICY).parsebytes(raw)
        body = mail.get_body(("plain",))
        for receiver in envelope.rcpt_tos:
            sent = SentMail(
                to=parseaddr(receiver)[1].lower(),
                subject=str(mail["Subject"] or ""),
                text=str(body.get_content()) if body is not None else "",
                message_id=str(mail["Message-ID"] or ""),
                references=str(mail["References"] or ""),
            )
            self.sent.append(sent)
            if self.on_sent is not None:
                self.on_sent(sent)
        if self._drop_next:
            self._drop_next = False
            if isinstance(server.transport, asyncio.Transport):
                server.transport.abort()
        return "250 2.0.0 Ok: kept in the sandbox"


def _sign_in(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
    if not isinstance(given, LoginPassword):
        return AuthResult(success=False, handled=False)
    known = hmac.compare_digest(given.login, ADDRESS.encode()) and hmac.compare_digest(
        given.password, PASSWORD.encode()
    )
    return AuthResult(success=known, handled=False)
