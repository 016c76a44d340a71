"""Entries and customers for tests of the pure parts, with as few words as possible."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from agentconsole.domain import history
from agentconsole.domain.entries import AnyEntry, Received
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConversationId,
    Customer,
    CustomerId,
    EntryId,
    Medium,
)
from agentconsole.domain.permission import Reach
from agentconsole.domain.person import combine
from agentconsole.domain.preference import Account

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
AGENT = AgentName("mina")
EMAIL = Address("email", "", "emily@example.com")
PHONE = Address("phone", "", "+442079460182")

MAIL = Account(AccountName("mail"), Medium("email"), "email", Reach(1_000_000, "characters", attachments=True))
SMS = Account(AccountName("sms"), Medium("sms"), "phone", Reach(5, "sms"), live=True)
WHATSAPP = Account(
    AccountName("wa"), Medium("whatsapp"), "phone", Reach(4096, "characters", window_seconds=86_400), live=True
)
TELEGRAM = Account(
    AccountName("tg"), Medium("telegram"), "telegram", Reach(4096, "characters", customer_first=True), live=True
)
ACCOUNTS = (MAIL, SMS, WHATSAPP, TELEGRAM)


def ago(*, minutes: float = 0, hours: float = 0, days: float = 0) -> datetime:
    return NOW - timedelta(minutes=minutes, hours=hours, days=days)


def received(
    name: str,
    account: Account,
    sender: Address,
    at: datetime,
    text: str = "hello",
    conversation: str = "c1",
    **more: object,
) -> Received:
    return Received(
        id=EntryId(name),
        at=at,
        account=account.name,
        medium=account.medium,
        sender=sender,
        conversation=ConversationId(conversation),
        stored_at=at,
        text=text,
        **more,  # type: ignore[arg-type]
    )


def customer(*entries: AnyEntry, record: str = "k1") -> Customer:
    snapshot = history.fold(CustomerId(record), entries)
    return combine(snapshot.id, {snapshot.id: snapshot})


def together(root: str, records: dict[str, Sequence[AnyEntry]]) -> Customer:
    snapshots = {CustomerId(name): history.fold(CustomerId(name), entries) for name, entries in records.items()}
    return combine(CustomerId(root), snapshots)
