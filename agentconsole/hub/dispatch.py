"""From the outbox to the provider: claim, commit, send, record. At most once without an agent's word.

What is on disk at each moment decides what a crash means: ``sending`` and not committed was provably not sent and is
queued again; ``sending`` and committed may have left and becomes ``uncertain``, unless the medium takes the same key
twice without sending twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from agentconsole.domain import beginning, delivery, permission
from agentconsole.domain.entries import AnyEntry, Receipt, Reply
from agentconsole.domain.model import (
    AccountName,
    CustomerId,
    Delivery,
    DeliveryRecord,
    EntryId,
    RefusedRoute,
    Route,
    Snapshot,
    derive_id,
)
from agentconsole.domain.permission import NOTHING_TYPED
from agentconsole.errors import (
    AgentConsoleError,
    OutcomeUnknown,
    PermanentFailure,
    ReadOnly,
    SignInFailed,
    StoreFault,
    TemporaryFailure,
    Withdrawn,
)
from agentconsole.hub import believing, hold, unsubscribing
from agentconsole.hub.health import UNREACHABLE, Health
from agentconsole.hub.profile import AccountSetup, HubProfile, for_choice
from agentconsole.hub.waits import Line, Waits, not_before
from agentconsole.ports import AuditLine, Channel, Due, File, Outgoing, Store
from agentconsole.seams import Clock, Randomness

SEND_DEADLINE: Final = 900.0
"""Seconds for one send, all in all: RFC 5321 allows ten minutes for the answer after a mail's last dot alone."""

IDLE_CHECK: Final = 30.0
"""Seconds after which the outbox is looked at even though nobody said that something is due."""


LINE_WAS_DOWN: Final = frozenset(
    {"unreachable", "unknown_host", "store", "tls_failed", "tls_missing", "tls_name", "tls_untrusted", "tls_expired"}
)
"""Reasons to wait that end when the account answers again, rather than after a pause that a provider asked for."""

LINE_FAILED: Final = LINE_WAS_DOWN - {"store"}
"""Reasons for which the account's other replies are not tried either for a while."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to, as a receipt says it."""

    state: Delivery
    reason: str = ""
    detail: str = ""
    external_id: str = ""
    retry_at: datetime | None = None


class Dispatch:
    """Sends what is due, one reply at a time and account.

    Args:
        people: held while permission is judged and the claim or commit is written; see ``Intake``.
        answered: told of an account that took a reply although its fetching fails: both may work again.
    """

    def __init__(
        self,
        store: Store,
        accounts: Mapping[AccountName, AccountSetup],
        channels: Mapping[AccountName, Channel],
        health: Health,
        profile: HubProfile,
        clock: Clock,
        random: Randomness,
        log: logging.Logger,
        people: asyncio.Lock,
        answered: Callable[[AccountName], None] = lambda _account: None,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._channels = channels
        self._health = health
        self._profile = profile
        self._clock = clock
        self._random = random
        self._log = log
        self._people = people
        self._answered = answered
        self._expires = profile.expire_hours * 3600.0
        self._wakes = {name: asyncio.Event() for name in accounts}
        self._idle = {name: asyncio.Event() for name in accounts}
        for event in self._idle.values():
            event.set()
        self._stopping = asyncio.Event()
        self._line_is_up: set[AccountName] = set()
        self._lines = {name: Line(clock, random) for name in accounts}
        self._waits = {name: Waits(clock) for name in accounts}
        self._resting: set[AccountName] = set()

    def wake(self, account: AccountName) -> None:
        if account in self._wakes:
            self._lines[account].hasten()
            self._wakes[account].set()

    def retry(self, account: AccountName, *, wished: bool = False) -> None:
        """Try at once what waits because the line was down, or the disk full. ``wished``: an agent asked for it."""
        if account in self._wakes:
            self._line_is_up.add(account)
            self._lines[account].try_now(wished=wished)
            self._wakes[account].set()

    async def settled(self, account: AccountName) -> None:
        """Return when no send of this account is under way."""
        if account in self._idle:
            await self._idle[account].wait()

    def finish(self) -> None:
        """Begin nothing new; ``run`` returns when the send in hand is recorded."""
        self._stopping.set()
        for event in self._wakes.values():
            event.set()

    async def recover(self) -> None:
        """Hold what an older store cannot know, and settle what an earlier hub left in ``sending``, or for an account
        that is gone. Call before ``run``."""
        await hold.hold(self._store, self._clock, self._log)
        await hold.show(self._store, self._health)
        await self._settle(await self._store.replies([Delivery.SENDING], limit=None))
        for due in await self._store.replies([Delivery.QUEUED], limit=None):
            if due.record.account not in self._accounts:
                outcome = Outcome(Delivery.FAILED, "no_account", due.record.account)
                await self._record_if_sound(due, due.record.attempt + 1, outcome)

    async def _settle(self, orphans: Sequence[Due]) -> None:
        """Decide about replies in ``sending`` whose attempt nobody is making."""
        for due in orphans:
            record = due.record
            if not record.committed:
                outcome = Outcome(Delivery.QUEUED, "interrupted")
            elif self._may_repeat(record.account):
                outcome = Outcome(Delivery.QUEUED, "same_key_again")
            else:
                outcome = Outcome(Delivery.UNCERTAIN, "interrupted")
            await self._record_if_sound(due, record.attempt, outcome)

    async def _record_if_sound(self, due: Due, attempt: int, outcome: Outcome) -> None:
        """Record an outcome; the reply of a customer who was set aside after damage stays as it is."""
        try:
            await self._record(due.customer, due.record.reply, attempt, outcome)
        except ReadOnly as exc:
            self._log.error("a reply of %s stays as it is: %s", due.customer, exc.message)

    async def run(self, account: AccountName) -> None:
        """Send one account's replies, for ever."""
        while not self._stopping.is_set():
            self._wakes[account].clear()
            pause = IDLE_CHECK
            try:
                pause = min(pause, await self._send_due(account))
                self._goes_on(account)
            except StoreFault as exc:
                self._log.error("%s: sending rests: %s", account, exc.message)
                self._rests(account)
                pause = 5.0
            except Exception as exc:
                self._log.error("%s: unexpected %s", account, type(exc).__name__, exc_info=exc)
                pause = 5.0
            if not self._stopping.is_set():
                await self._woken(account, pause)

    def _rests(self, account: AccountName) -> None:
        self._resting.add(account)
        self._health.raise_banner("sending_rests")

    def _goes_on(self, account: AccountName) -> None:
        self._resting.discard(account)
        if not self._resting:
            self._health.lower_banner("sending_rests")

    async def _woken(self, account: AccountName, seconds: float) -> None:
        wake = asyncio.ensure_future(self._wakes[account].wait())
        sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({wake, sleep}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wake.cancel()
            sleep.cancel()

    async def _send_due(self, account: AccountName) -> float:
        """Send everything due and return the seconds until the next reply is."""
        # An account sends one reply at a time, and here none: a claim in ``sending`` is one whose change reached the
        # disk although the store said that it failed.
        await self._settle(await self._replies(account, Delivery.SENDING))
        line, waits = self._lines[account], self._waits[account]
        line_is_up = account in self._line_is_up or line.down
        self._line_is_up.discard(account)
        queued = await self._replies(account, Delivery.QUEUED)
        waits.keep(due.record for due in queued)
        for due in queued:
            waits.tried_for(due.record, _wanted_from(due.record))
            if self._stopping.is_set() or line.left:
                continue
            at_once = line_is_up and due.record.attempt and due.record.reason in LINE_WAS_DOWN
            if waits.left(due.record) and not at_once:
                continue
            self._idle[account].clear()
            try:
                await self._attempt(due.customer, due.record)
            except ReadOnly as exc:
                self._log.error("%s: a reply of %s rests: %s", account, due.customer, exc.message)
            except StoreFault:
                raise
            except Exception as exc:
                self._log.error("%s: a reply of %s rests", account, due.customer, exc_info=exc)
            finally:
                self._idle[account].set()
        # Asked again, because an attempt that failed just now has set a time of its own.
        pauses = [waits.left(due.record) for due in await self._replies(account, Delivery.QUEUED)]
        return min((pause for pause in (*pauses, line.left) if pause > 0), default=IDLE_CHECK)

    async def _replies(self, account: AccountName, state: Delivery) -> Sequence[Due]:
        return await self._store.replies([state], account=account, limit=None)

    # -- one attempt ---------------------------------------------------------------------------------------

    async def _attempt(self, owner: CustomerId, record: DeliveryRecord) -> None:
        found = await self._store.entry(record.reply)
        if found is None and await self._vanished(owner, record.reply):
            return
        if found is None or not isinstance(found[1], Reply):
            raise ReadOnly(f"The reply {record.reply} is in the outbox but not in the history.", "Run: store check")
        reply = found[1]
        attempt = record.attempt + 1
        wanted_from = max(not_before(reply) or record.queued_at, record.queued_at)
        if record.attempt and self._waits[record.account].tried_for(record, wanted_from) > self._expires:
            await self._record(owner, reply.id, attempt, Outcome(Delivery.FAILED, "expired", record.detail))
            return
        try:
            await self._mark(owner, reply, attempt, committed=False)
        except Withdrawn as exc:
            await self._refuse(owner, reply, attempt, exc)
            return
        outcome = await self._send(owner, reply, attempt)
        await self._record_whatever_happens(owner, reply, attempt, outcome)
        if outcome.state in delivery.ARRIVED:
            self._health.count(record.account, sent=1)

    async def _vanished(self, owner: CustomerId, reply: EntryId) -> bool:
        """Say whether a reply went with its customer, who was erased since the outbox was read."""
        snapshot = await self._store.snapshot(owner)
        return snapshot is None or reply not in snapshot.deliveries

    async def _send(self, owner: CustomerId, reply: Reply, attempt: int) -> Outcome:
        committed = False

        async def commit() -> None:
            nonlocal committed
            if committed:
                raise RuntimeError("commit was awaited twice")
            await self._mark(owner, reply, attempt, committed=True)
            committed = True

        try:
            try:
                outgoing = await self.outgoing(owner, reply, attempt)
                async with asyncio.timeout(SEND_DEADLINE):
                    report = await self._channels[reply.account].send(outgoing, commit)
                self._lines[reply.account].up()
                if self._health.of(reply.account).state == UNREACHABLE:
                    self._answered(reply.account)
                if not committed:
                    self._log.error("%s: the channel sent without commit", reply.account)
                return Outcome(report.state, "", report.detail, report.external_id)
            except (AgentConsoleError, Withdrawn) as exc:
                return self._outcome(reply.account, attempt, exc, committed=committed)
        except Exception as exc:
            # Also what goes wrong while an answer is judged: no answer may leave a reply in ``sending``.
            self._log.error("%s: send ended in %s", reply.account, type(exc).__name__, exc_info=exc)
            if committed:
                return Outcome(Delivery.UNCERTAIN, "line_cut", type(exc).__name__)
            return self._again(attempt, "provider_error", type(exc).__name__, None)

    def _outcome(
        self, account: AccountName, attempt: int, exc: AgentConsoleError | Withdrawn, *, committed: bool
    ) -> Outcome:
        """Return what a failure of one attempt means for the reply; the table stands in docs/architecture.md."""
        match exc:
            case Withdrawn():
                return Outcome(Delivery.FAILED, exc.reason)
            case SignInFailed():
                pause = self._lines[account].failed(None, refused=True, fetched=False)
                self._health.failed(account, exc, pause)
                retry = self._clock.now() + timedelta(seconds=pause)
                return Outcome(Delivery.QUEUED, exc.reason, exc.message, retry_at=retry)
            case TemporaryFailure() if exc.reason in LINE_FAILED:
                fetched = self._health.of(account).state == UNREACHABLE
                pause = self._lines[account].failed(exc.retry_after, refused=False, fetched=fetched)
                retry = self._clock.now() + timedelta(seconds=pause)
                return Outcome(Delivery.QUEUED, exc.reason, exc.message, retry_at=retry)
            case TemporaryFailure():
                self._lines[account].up()
                return self._again(attempt, exc.reason, exc.message, exc.retry_after)
            case PermanentFailure():
                self._lines[account].up()
                return Outcome(Delivery.FAILED, exc.reason, exc.message)
            case OutcomeUnknown() if not committed:
                return self._again(attempt, exc.reason, exc.message, None)
            case OutcomeUnknown():
                if self._may_repeat(account):
                    return self._again(attempt, "same_key_again", exc.message, None)
                return Outcome(Delivery.UNCERTAIN, exc.reason, exc.message)
            case StoreFault():
                return self._again(attempt, "store", exc.message, None)
            case _:
                return Outcome(Delivery.UNCERTAIN if committed else Delivery.FAILED, exc.code, exc.message)

    async def outgoing(self, owner: CustomerId, reply: Reply, attempt: int) -> Outgoing:
        """Return a reply as its channel gets it."""
        files = [File(a.name, a.type, await self._store.blob(owner, a.blob)) for a in reply.attachments]
        customer = await self._store.customer(owner)
        return Outgoing(
            reply=reply.id,
            key=reply.key,
            attempt=attempt,
            address=reply.address,
            text=reply.text,
            place=reply.place,
            subject=reply.subject,
            message_ids=reply.in_reply_to,
            files=tuple(files),
            author=reply.agent,
            to_name=customer.name if customer is not None else "",
            unsubscribe=believing.subject_of(reply) if reply.proactive else "",
            unsubscribe_url=await unsubscribing.link(self._store, self._profile.public_url, reply),
        )

    def _again(self, attempt: int, reason: str, detail: str, retry_after: float | None) -> Outcome:
        pause = delivery.backoff(attempt, retry_after, self._random.fraction())
        return Outcome(Delivery.QUEUED, reason, detail, retry_at=self._clock.now() + timedelta(seconds=pause))

    def _may_repeat(self, account: AccountName) -> bool:
        setup = self._accounts.get(account)
        return setup is not None and setup.kind.capabilities.idempotency in ("same_answer", "conflict")

    # -- what goes on disk ---------------------------------------------------------------------------------

    async def _mark(self, owner: CustomerId, reply: Reply, attempt: int, *, committed: bool) -> None:
        """Claim (or commit) an attempt if it is still allowed.

        Raises:
            Withdrawn: the reply was cancelled, or a rule forbids it now.
        """
        setup = self._accounts[reply.account]
        account = for_choice(setup.info(signed_in=True))
        receipt = Receipt(
            id=EntryId(derive_id("e", "attempt", reply.id, str(attempt), "committed" if committed else "claimed")),
            at=self._clock.now(),
            reply=reply.id,
            state=Delivery.SENDING,
            attempt=attempt,
            committed=committed,
        )

        def decide(snapshot: Snapshot) -> list[Receipt]:
            record = snapshot.deliveries.get(reply.id)
            expected = Delivery.SENDING if committed else Delivery.QUEUED
            if record is None or record.state != expected:
                raise Withdrawn("cancelled")
            return [receipt]

        async with self._people:
            customer = await self._store.customer(owner)
            if customer is not None:
                route = Route(reply.account, reply.medium, reply.address, reply.place)
                message = beginning.of_reply(reply)
                rules = self._profile.policy.rules
                if reply.proactive or any(not consent.allowed for consent in customer.consents):
                    await asyncio.to_thread(beginning.warm, customer, rules)
                veto = permission.refusal(
                    customer, route, account.reach, self._clock.now(), NOTHING_TYPED, message, rules
                )
                if veto is not None:
                    await self._audit(owner, reply, veto)
                    raise Withdrawn(veto.reason)
            await self._store.change(owner, decide)

    async def _audit(self, owner: CustomerId, reply: Reply, veto: RefusedRoute) -> None:
        """Note why a reply was withdrawn before it left. That it stays here does not depend on the note."""
        detail = f"{reply.id} {permission.told(veto)}"
        try:
            await self._store.audit(AuditLine(self._clock.now(), reply.agent, False, "withdrawn", owner, detail))
        except StoreFault as exc:
            self._log.error("not in the audit trail: withdrawn, %s: %s", owner, exc.message)

    async def _refuse(self, owner: CustomerId, reply: Reply, attempt: int, exc: Withdrawn) -> None:
        if exc.reason != "cancelled":
            await self._record(owner, reply.id, attempt, Outcome(Delivery.FAILED, exc.reason))

    async def _record(
        self, owner: CustomerId, reply: EntryId, attempt: int, outcome: Outcome, refused: Reply | None = None
    ) -> None:
        """Write an outcome, together with what the provider said of the customer when it ``refused``."""
        receipt = Receipt(
            id=EntryId(derive_id("e", "outcome", reply, str(attempt))),
            at=self._clock.now(),
            reply=reply,
            state=outcome.state,
            attempt=attempt,
            external_id=outcome.external_id,
            reason=outcome.reason,
            detail=outcome.detail[:300],
            retry_at=outcome.retry_at,
        )

        speaks = outcome.state == Delivery.FAILED and outcome.reason in believing.SAYS_OF_THE_CUSTOMER
        spoke = refused if speaks else None

        def decide(snapshot: Snapshot) -> list[AnyEntry]:
            record = snapshot.deliveries.get(reply)
            if record is None:
                return []  # erased meanwhile: a receipt would bring the customer back
            # Proof of an earlier attempt came in meanwhile: that a further one failed is no news of the reply.
            proven = record.state in delivery.ARRIVED
            told = believing.believed(spoke, outcome.reason, snapshot, self._clock) if spoke is not None else []
            return told if proven and outcome.state not in delivery.ARRIVED else [receipt, *told]

        if spoke is not None:
            async with self._people:  # permission changes
                await self._store.change(owner, decide)
        else:
            await self._store.change(owner, decide)

    async def _record_whatever_happens(self, owner: CustomerId, reply: Reply, attempt: int, outcome: Outcome) -> None:
        """Keep trying to write an outcome that only this process knows. Dying now makes it ``uncertain``."""
        while True:
            try:
                await self._record(owner, reply.id, attempt, outcome, reply)
            except ReadOnly as exc:
                self._log.error("the outcome of a reply of %s cannot be kept: %s", owner, exc.message)
                return
            except StoreFault as exc:
                self._log.error("an outcome cannot be written yet: %s", exc.message)
                self._rests(reply.account)
                await self._clock.sleep(1.0)
            else:
                self._goes_on(reply.account)
                return


def _wanted_from(record: DeliveryRecord) -> datetime:
    """Return since when a reply should leave, as far as its record tells: a first attempt may be an agent's wish."""
    wish = not_before(record) if not record.attempt else None
    return max(wish or record.queued_at, record.queued_at)
