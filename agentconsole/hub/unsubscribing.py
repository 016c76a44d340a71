"""The link that ends advertising with one click (RFC 8058): in the header of a mail that we began, and what it opens.

The token names the mail and proves that we made it, so whoever holds it needs no account and no password. Only a POST
ends anything: scanners and previews follow links, and a mail that they looked at must not unsubscribe anybody.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from typing import Final

from starlette.responses import Response

from agentconsole.domain import threads
from agentconsole.domain.entries import ConsentChanged, Reply
from agentconsole.domain.model import Address, ConsentScope, CustomerId, EntryId, Snapshot, derive_id
from agentconsole.errors import ReadOnly, StoreFault
from agentconsole.hub.believing import UNSUBSCRIBED, heard
from agentconsole.ports import Store
from agentconsole.seams import Clock

PATH: Final = "/unsubscribe/"
KEY: Final = "unsubscribe"
"""What the store calls the key: another than that of Message-IDs, which quotes of a mail show to anybody."""
_TOKEN: Final = re.compile(r"(e[0-9a-f]{30})\.([a-z2-7]{24})")
_PAGE: Final = (
    "<!doctype html><meta charset=utf-8><title>Unsubscribe</title>"
    "<form method=post><p>No more advertising by e-mail? 광고 메일을 그만 받으시겠습니까?"
    "<p><button>Unsubscribe · 수신거부</button></form>"
)
_DONE: Final = "Unsubscribed. 수신거부 처리되었습니다.\n"


async def link(store: Store, public_url: str, reply: Reply) -> str:
    """Return the link of a mail that we began; empty where we have no page on https, which the RFC asks for."""
    if not (reply.proactive and public_url.startswith("https://")):
        return ""
    secret = await store.secret(KEY)
    return f"{public_url.rstrip('/')}{PATH}{reply.id}.{_proof(reply.id, reply.address, secret)}"


def _proof(reply: EntryId, address: Address, secret: str) -> str:
    return threads.token(reply, address, secret)


class Unsubscribe:
    """Answers ``/unsubscribe/TOKEN``.

    Args:
        people: held while permission changes; see ``Intake``.
    """

    def __init__(self, store: Store, people: asyncio.Lock, clock: Clock) -> None:
        self._store = store
        self._people = people
        self._clock = clock

    async def answer(self, token: str, *, post: bool) -> Response:
        """Ask on GET, end marketing by mail on POST. A repeat finds the same entry."""
        found = await self._mail(token)
        if found is None:
            return Response(status_code=404)
        if not post:
            return Response(_PAGE, media_type="text/html", headers={"Referrer-Policy": "no-referrer"})
        record, reply = found
        try:
            await self._end(record, reply)
        except (StoreFault, ReadOnly):
            return Response(status_code=503, headers={"Retry-After": "60"})
        return Response(_DONE, media_type="text/plain")

    async def _mail(self, token: str) -> tuple[CustomerId, Reply] | None:
        match = _TOKEN.fullmatch(token)
        found = await self._store.entry(EntryId(match[1])) if match is not None else None
        if match is None or found is None or not isinstance(found[1], Reply) or not found[1].proactive:
            return None
        proof = _proof(found[1].id, found[1].address, await self._store.secret(KEY))
        return (found[0], found[1]) if hmac.compare_digest(match[2], proof) else None

    async def _end(self, record: CustomerId, reply: Reply) -> None:
        def decide(snapshot: Snapshot) -> list[ConsentChanged]:
            if not snapshot.count:
                return []  # erased meanwhile
            words = snapshot.consents.values()
            if any(not w.allowed and (w.medium, w.scope) == (reply.medium, ConsentScope.MARKETING) for w in words):
                return []
            # A click on the same mail after a new consent is a new word.
            last = max((w.at.isoformat() for w in words if w.allowed), default="")
            return [
                ConsentChanged(
                    id=EntryId(derive_id("e", UNSUBSCRIBED, "click", reply.id, last)),
                    at=heard(snapshot, self._clock),
                    medium=reply.medium,
                    scope=ConsentScope.MARKETING,
                    evidence=reply.id,
                    words=UNSUBSCRIBED,
                )
            ]

        async with self._people:
            await self._store.change(record, decide)
