"""aiosmtplib driven step by step; the only module that imports it.

The library raises one exception for "refused before the recipient" and "taken, but the answer was lost". Only who
takes each step alone knows which of the two it was:

====================================  ==========================================
what happened                         what it means
====================================  ==========================================
no connection, no TLS                 ``TemporaryFailure``: no password had left
535 and 534 to AUTH                   ``SignInFailed``
4xx before the content                ``TemporaryFailure``
5xx before the content                ``PermanentFailure``
line cut before the dot has left      ``TemporaryFailure``: RFC 5321 section 4.1.1.4
``commit`` refused                    passed on; the line is cut, no content left
4xx or 5xx after the content began    ``TemporaryFailure``, ``PermanentFailure``
2xx after the dot                     sent
anything else after the dot           ``OutcomeUnknown`` (RFC 1047)
====================================  ==========================================

The dot is held back until the line has taken the content (``channels.line``), so that only the time in which the server
thinks about a whole mail is open to doubt.

A cancelled call leaves aiosmtplib one reply behind, so every end but a clean one drops the connection.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Coroutine
from typing import Any, Final

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from agentconsole.channels import line
from agentconsole.channels.email import tls
from agentconsole.channels.email.compose import Letter
from agentconsole.channels.email.headers import one_line
from agentconsole.channels.email.options import DEADLINES, Deadlines, SmtpServer
from agentconsole.errors import ChannelFailure, OutcomeUnknown, PermanentFailure, SignInFailed, TemporaryFailure
from agentconsole.ports import Commit
from agentconsole.seams import Call, called

SLOWEST: Final = 20_000
"""Bytes a second of the slowest uplink that a mail is sent over."""
CHUNK: Final = 262_144
_END: Final = 3
"""Bytes that are held back: the dot and its line end."""


class _Unfinished(ConnectionError):
    """The line broke before the dot had left."""


_ENHANCED: Final = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
_REASONS: Final = {
    "5.1.1": "no_such_address",
    "5.1.2": "no_such_address",
    "5.1.3": "bad_address",
    "5.1.10": "no_such_address",
    "5.2.1": "address_disabled",
    "4.2.2": "mailbox_full",
    "5.2.2": "mailbox_full",
    "5.2.3": "too_large",
    "5.3.4": "too_large",
    "4.7.0": "greylisted",
    "4.7.1": "greylisted",
    "5.7.1": "rejected",
}


def wire_form(content: bytes) -> bytes:
    """Return content as DATA carries it: CRLF line ends, leading dots doubled, the closing dot. Blocks for large
    mail: call it on a worker thread."""
    lines = _LINE_END.sub(b"\r\n", content)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return _DOT.sub(b"..", lines) + b".\r\n"


def failure(code: int, text: str, host: str, what: str) -> ChannelFailure:
    """Turn a negative answer into what it means. ``what`` names what was refused, for the sentence."""
    said = one_line(text, 200)
    match = _ENHANCED.match(said)
    reason = _REASONS.get(match.group(1) if match else "", "")
    answer = f"{host} refused {what}: {code} {said}. Nothing was sent."
    if 400 <= code < 500:
        return TemporaryFailure(answer, "It is tried again.", reason=reason or "provider_busy")
    if 500 <= code < 600:
        hint = (
            "Check the address." if reason == "no_such_address" else "Read the server's words; another channel may do."
        )
        return PermanentFailure(answer, hint, reason=reason or "rejected")
    return TemporaryFailure(f"{host} gave an answer that is none to {what}.", "It is tried again.")


class Submission:
    """One session with the submission server.

    Args:
        server: where to connect.
        context: verifies chain and host name.
        hello: the name for EHLO; the account's domain, so that the machine's name stays private.
    """

    def __init__(
        self, server: SmtpServer, context: ssl.SSLContext, hello: str, deadlines: Deadlines = DEADLINES
    ) -> None:
        self._server = server
        self._deadlines = deadlines
        self._leaving: asyncio.BaseTransport | None = None
        self._client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.resolved_port(),
            local_hostname=hello,
            use_tls=server.tls == "implicit",
            start_tls=False,
            tls_context=context,
            timeout=deadlines.command,
        )

    async def open(self, password: str) -> None:
        """Connect, verify, sign in.

        Raises:
            TemporaryFailure, PermanentFailure, SignInFailed: no mail was sent, and no password over a line that
                is not verified.
        """
        host, port = self._server.host, self._server.resolved_port()
        try:
            called(Call.CONNECT, f"{host}:{port}")
            await self._client.connect()
            await self._client.ehlo()
            if self._server.tls == "starttls":
                if not self._client.supports_extension("starttls"):
                    raise tls.no_starttls(host, port)
                await self._client.starttls()
                await self._client.ehlo()
            await self._sign_in(password)
        except ChannelFailure:
            self.drop()
            raise
        except aiosmtplib.SMTPResponseException as exc:
            self.drop()
            raise self._refused_session(exc) from exc
        except Exception as exc:
            self.drop()
            raise tls.explain(exc, host, port) from exc
        except BaseException:
            self.drop()
            raise

    async def _sign_in(self, password: str) -> None:
        offered = self._client.supported_auth_methods
        user = self._server.user
        try:
            if "plain" in offered:
                await self._client.auth_plain(user, password)
            elif "login" in offered:
                await self._client.auth_login(user, password)
            elif "cram-md5" in offered:
                await self._client.auth_crammd5(user, password)
            else:
                raise SignInFailed(
                    f"{self._server.host} offers no way to sign in that we know.",
                    "Check port and tls: many servers let people sign in only over TLS.",
                    reason="no_sign_in",
                )
        except aiosmtplib.SMTPAuthenticationError as exc:
            if 200 <= exc.code < 300:
                # The library knows 235 only; the first digit decides (RFC 5321 section 4.3.2).
                return
            if 400 <= exc.code < 500:
                raise failure(exc.code, exc.message, self._server.host, "to sign in now") from None
            raise tls.refused(self._server.host, user, f"{exc.code} {exc.message}") from None

    def _refused_session(self, exc: aiosmtplib.SMTPResponseException) -> ChannelFailure:
        """A server that refuses the session, not a letter: never the letter's fault, so it is tried again."""
        return TemporaryFailure(
            f"{self._server.host} refused to talk: {exc.code} {one_line(exc.message, 200)}. Nothing was sent.",
            "It is tried again; if it stays so, ask the server's operator.",
            reason="provider_busy",
        )

    async def deliver(self, letter: Letter, wire: bytes, commit: Commit) -> str:
        """Hand one letter over and return the server's words.

        Args:
            letter: sender and recipient.
            wire: ``wire_form`` of its content.
            commit: awaited once, after the server asked for the content and before its first byte.

        Raises:
            TemporaryFailure, PermanentFailure: provably not sent.
            OutcomeUnknown: it may have been sent.
            Exception: what ``commit`` raised; no content had left.
        """
        try:
            protocol = await self._announce(letter, len(wire))
            await commit()
        except BaseException:
            self.drop()
            raise
        try:
            answer = await self._content(protocol, wire)
        except asyncio.CancelledError:
            self.drop()
            raise
        except _Unfinished as exc:
            self.drop()
            raise TemporaryFailure(
                f"The line to {self._server.host} broke before the end of the mail ({exc}); nothing was sent.",
                "It is tried again.",
                reason="unreachable",
            ) from exc
        except Exception as exc:
            self.drop()
            what = one_line(str(exc), 200) or type(exc).__name__
            raise OutcomeUnknown(
                f"The line to {self._server.host} broke while it had the mail ({what}); it may have been sent.",
                "Look whether it arrived before sending it again.",
                reason="line_cut",
            ) from exc
        if answer.code // 100 == 2:
            return one_line(answer.message, 200)
        self.drop()
        if answer.code // 100 in (4, 5):
            raise failure(answer.code, answer.message, self._server.host, "the mail")
        raise OutcomeUnknown(
            f"{self._server.host} answered {answer.code} to the mail, which means nothing; it may have been sent.",
            "Look whether it arrived before sending it again.",
            reason="strange_answer",
        )

    async def _announce(self, letter: Letter, size: int) -> SMTPProtocol:
        """MAIL, RCPT, DATA up to the 354."""
        client, host = self._client, self._server.host
        try:
            options = self._options(letter, size)
            encoding = "utf-8" if letter.wide else "ascii"
            await client.mail(letter.sender, options=options, encoding=encoding)
            await client.rcpt(letter.recipient, encoding=encoding)
            answer = await client.execute_command(b"DATA")
        except aiosmtplib.SMTPSenderRefused as exc:
            raise failure(exc.code, exc.message, host, "the sender address") from exc
        except aiosmtplib.SMTPRecipientRefused as exc:
            raise failure(exc.code, exc.message, host, f"the address {letter.recipient}") from exc
        except ChannelFailure:
            raise
        except aiosmtplib.SMTPResponseException as exc:
            raise failure(exc.code, exc.message, host, "the mail") from exc
        except Exception as exc:
            raise tls.explain(exc, host, self._server.resolved_port()) from exc
        if answer.code != 354:
            raise failure(answer.code, answer.message, host, "the mail")
        protocol = client.protocol
        if protocol is None:
            raise TemporaryFailure(f"{host} hung up before the mail.", "It is tried again.", reason="unreachable")
        return protocol

    def _options(self, letter: Letter, size: int) -> list[str]:
        found: list[str] = []
        client, host = self._client, self._server.host
        if letter.wide:
            if not client.supports_extension("smtputf8"):
                raise PermanentFailure(
                    f"{host} carries no addresses with letters outside ASCII; nothing was sent.",
                    "Use another address or channel.",
                    reason="bad_address",
                )
            found += ["SMTPUTF8", "BODY=8BITMIME"]
        if client.supports_extension("size"):
            limit = str(client.esmtp_extensions.get("size", "")).strip()
            if limit.isdecimal() and 0 < int(limit) < size:
                raise PermanentFailure(
                    f"{host} takes mail up to {int(limit) / 1e6:.0f} MB, this has {size / 1e6:.0f}; nothing was sent.",
                    "Send fewer or smaller files, or a link.",
                    reason="too_large",
                )
            found.append(f"SIZE={size}")
        return found

    async def _content(self, protocol: SMTPProtocol, wire: bytes) -> aiosmtplib.SMTPResponse:
        """Send content and dot, and return the answer; a refusal in the middle ends it early.

        Raises:
            _Unfinished: the line broke before the dot had left.
            Exception: anything but an answer after the dot or a refusal before it.
        """
        transfer = len(wire) / SLOWEST
        reading = asyncio.ensure_future(protocol.read_response(timeout=self._deadlines.dot + transfer))
        whole = False
        try:
            await asyncio.sleep(0)
            async with asyncio.timeout(self._deadlines.command + transfer):
                await self._all_but_the_end(protocol, wire, reading)
            if not reading.done():
                protocol.write(wire[-_END:])
                whole = True
            answer = await reading
        except Exception as exc:
            if whole:
                raise
            raise _Unfinished(one_line(str(exc), 200) or type(exc).__name__) from exc
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if not whole and answer.code // 100 not in (4, 5):
            raise ConnectionError("it answered before it had the mail")
        return answer

    async def _all_but_the_end(
        self, protocol: SMTPProtocol, wire: bytes, reading: asyncio.Future[aiosmtplib.SMTPResponse]
    ) -> None:
        """Hand over all but the dot and wait until the line has taken it, or until the server answers.

        Raises:
            Exception: the line broke.
        """
        last = len(wire) - _END
        for at in range(0, last, CHUNK):
            if reading.done():
                return
            protocol.write(wire[at : min(at + CHUNK, last)])
            await self._until(protocol._drain_helper(), reading)
        transport = protocol.transport
        if not isinstance(transport, asyncio.WriteTransport):
            raise ConnectionError("the server hung up")
        taking = line.took(transport.get_extra_info("socket"), self._deadlines.command, transport.get_write_buffer_size)
        if await self._until(taking, reading) is False:
            # The server may have said why before it hung up.
            await asyncio.wait({reading}, timeout=self._deadlines.command)
            if not reading.done():
                raise ConnectionError("the server hung up")

    @staticmethod
    async def _until(work: Coroutine[None, None, bool | None], reading: asyncio.Future[Any]) -> bool | None:
        """Do ``work`` until it is done or an answer is there."""
        doing = asyncio.ensure_future(work)
        try:
            await asyncio.wait({doing, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            doing.cancel()
            (found,) = await asyncio.gather(doing, return_exceptions=True)
        if isinstance(found, Exception) and not reading.done():
            raise found
        return found if isinstance(found, bool) else None

    def leave(self) -> None:
        """Say good-bye without waiting for the answer: nothing may come between a known outcome and its report."""
        protocol = self._client.protocol
        self._leaving = self._client.transport
        if protocol is not None and protocol.is_connected:
            protocol.write(b"QUIT\r\n")
        self._client.close()

    def drop(self) -> None:
        """Cut the line at once; what was not written yet never leaves. Also ends a good-bye that takes long."""
        transport, self._leaving = self._client.transport or self._leaving, None
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
        self._client.close()
