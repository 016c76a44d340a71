"""How every account is, for the screens and for the choice of a route."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from agentconsole.desk import AccountHealth
from agentconsole.domain.delivery import bounded
from agentconsole.domain.model import AccountName
from agentconsole.errors import AgentConsoleError, SignInFailed
from agentconsole.hub.profile import AccountSetup
from agentconsole.seams import Clock

BANNERS = ("sending_rests", "disk_full", "audit_rests", "held_after_restore")
"""What concerns the whole hub, most urgent first."""

OK, STARTING, UNREACHABLE, SIGNED_OUT, STOPPED = "ok", "starting", "unreachable", "signed_out", "stopped"


class Health:
    """The state of all accounts. ``revision`` rises with every change that somebody should see."""

    def __init__(self, accounts: Iterable[AccountSetup], clock: Clock) -> None:
        self._clock = clock
        self._accounts = {
            setup.name: AccountHealth(
                name=setup.name,
                kind=setup.kind.name,
                medium=setup.kind.medium,
                state=STARTING,
                since=clock.now(),
                read_only=setup.read_only,
                unchecked=setup.unchecked,
            )
            for setup in accounts
        }
        self.revision = 0
        self.banners: set[str] = set()
        self._changed = asyncio.Event()

    def all(self) -> tuple[AccountHealth, ...]:
        now = self._clock.now()
        return tuple(
            msgspec.structs.replace(h, lag_s=(now - h.last_ok).total_seconds() if h.last_ok is not None else None)
            for h in self._accounts.values()
        )

    def of(self, account: AccountName) -> AccountHealth:
        return self._accounts[account]

    def signed_in(self, account: AccountName) -> bool:
        return self._accounts[account].state != SIGNED_OUT

    async def wait_changed(self, since: int) -> int:
        """Return the revision once it differs from ``since``."""
        while self.revision == since:
            await self._changed.wait()
        return self.revision

    def worked(self, account: AccountName) -> bool:
        """Note that an account answers, and say whether it did not before."""
        healed = self._accounts[account].state in (UNREACHABLE, SIGNED_OUT)
        self._set(account, state=OK, last_ok=self._clock.now(), error="", hint="", retry_at=None)
        return healed

    def failed(self, account: AccountName, exc: AgentConsoleError, retry_in: float) -> None:
        self._set(
            account,
            state=SIGNED_OUT if isinstance(exc, SignInFailed) else UNREACHABLE,
            error=exc.message,
            hint=exc.hint,
            retry_at=self._clock.now() + timedelta(seconds=bounded(retry_in)),
        )

    def stopped(self, account: AccountName) -> None:
        self._set(account, state=STOPPED)

    def count(self, account: AccountName, *, received: int = 0, sent: int = 0) -> None:
        found = self._accounts[account]
        self._accounts[account] = msgspec.structs.replace(
            found, received=found.received + received, sent=found.sent + sent
        )

    @property
    def banner(self) -> str:
        """The most urgent code of ``BANNERS`` that holds, or an empty text."""
        return next((code for code in BANNERS if code in self.banners), "")

    def raise_banner(self, code: str) -> None:
        """Show what concerns the whole hub until it is lowered."""
        if code not in self.banners:
            self.banners.add(code)
            self._announce()

    def lower_banner(self, code: str) -> None:
        if code in self.banners:
            self.banners.discard(code)
            self._announce()

    def _set(self, account: AccountName, *, state: str, **changes: str | datetime | None) -> None:
        found = self._accounts[account]
        since = found.since if found.state == state else self._clock.now()
        self._accounts[account] = msgspec.structs.replace(found, state=state, since=since, **changes)
        if (found.state, found.error) != (state, self._accounts[account].error):
            self._announce()

    def _announce(self) -> None:
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()
