"""What a decision costs for a customer with 2,000 entries, against the floor of walking over the routes.

``python -m benchmarks.choose`` prints the time of the whole choice (rules, vetoes, laws; an answer and a message that
we begin) for a customer with many addresses, opt-outs and conversations, its ratio to the floor in the same run, and
what folding one more entry costs; exit code 1 above ``TARGET``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from agentconsole.config import facts
from agentconsole.domain import beginning, history, preference
from agentconsole.domain.beginning import Rules
from agentconsole.domain.entries import AnyEntry, ConsentChanged, PreferenceStated, Receipt, Received, Reply
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConsentScope,
    ConversationId,
    Customer,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
)
from agentconsole.domain.permission import Reach, Size
from agentconsole.domain.person import combine
from agentconsole.domain.preference import Account, Policy

TARGET = 2.0
"""Milliseconds of one decision."""

ENTRIES = 2_000
ROUNDS = 300
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(hours=ENTRIES)
ACCOUNTS = tuple(
    Account(
        AccountName(f"{medium}{n}"), Medium(medium), kind, Reach(limit, unit, window, attachments=medium == "email")
    )
    for medium, kind, limit, unit, window in (
        ("email", "email", 1_000_000, "characters", 0),
        ("sms", "phone", 5, "sms", 0),
        ("whatsapp", "phone", 4096, "characters", 86_400),
    )
    for n in range(3)
)
ADDRESSES = (
    Address("email", "", "emily@example.com"),
    Address("phone", "", "+821027284910"),
    Address("phone", "", "+12015550123"),
)


def entries() -> list[AnyEntry]:
    found: list[AnyEntry] = []
    number = 0
    while len(found) < ENTRIES - 3:
        at = START + timedelta(hours=number)
        account = ACCOUNTS[number % len(ACCOUNTS)]
        address = next(a for a in ADDRESSES[number % 3 :] + ADDRESSES if a.kind == account.address_kind)
        reply = EntryId(f"r{number}")
        conversation = ConversationId(f"c{number // 40}")
        found += [
            Received(
                id=EntryId(f"e{number}"),
                at=at,
                account=account.name,
                medium=account.medium,
                sender=address,
                conversation=conversation,
                stored_at=at,
                text="배송이 언제 오는지 알려 주세요. Order 55120 was due on Friday.",
            ),
            Reply(
                id=reply,
                at=at + timedelta(minutes=5),
                agent=AgentName("mina"),
                conversation=conversation,
                account=account.name,
                medium=account.medium,
                address=address,
                text="On its way.",
                key=reply,
                proactive=number % 50 == 0,
            ),
            Receipt(
                id=EntryId(f"s{number}"),
                at=at + timedelta(minutes=6),
                reply=reply,
                state=Delivery.SENDING,
                attempt=1,
                committed=True,
            ),
            Receipt(
                id=EntryId(f"t{number}"), at=at + timedelta(minutes=7), reply=reply, state=Delivery.SENT, attempt=1
            ),
        ]
        number += 1
    return [
        *found,
        ConsentChanged(id=EntryId("o"), at=NOW - timedelta(days=9), medium=Medium("sms"), words="STOP"),
        ConsentChanged(
            id=EntryId("m"),
            at=NOW - timedelta(days=8),
            medium=Medium(""),
            scope=ConsentScope.MARKETING,
            allowed=True,
        ),
        PreferenceStated(id=EntryId("p"), at=NOW - timedelta(days=5), medium=Medium("whatsapp")),
    ]


def measured(call: Callable[[], object]) -> float:
    """Return the median milliseconds of a call."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def main() -> int:
    lines = entries()
    snapshot = history.fold(CustomerId("k1"), lines)
    customer: Customer = combine(snapshot.id, {snapshot.id: snapshot})
    rules = Rules(laws=facts.laws().laws, values={"free_opt_out": "080-123-4567"})
    policy = Policy(rules=rules, shares=facts.regions())
    size = Size(300, 300, 3, 1)
    beginning.warm(customer, rules)
    floor = measured(lambda: list(preference.routes(customer, ACCOUNTS)))
    answer = measured(lambda: preference.choose(customer, ACCOUNTS, NOW, policy, size))
    begun = measured(
        lambda: preference.choose(customer, ACCOUNTS, NOW, policy, size, purpose="marketing", outbound=True)
    )
    joined = measured(lambda: combine(snapshot.id, {snapshot.id: snapshot}))
    one_more = measured(lambda: history.advance(snapshot, lines[:1]))
    choice = preference.choose(customer, ACCOUNTS, NOW, policy, size)
    print(f"{len(lines)} entries, {len(choice.ranked)} routes ranked, {len(choice.refused)} refused")
    print(f"walking over the routes          {floor:6.3f} ms")
    print(f"choice of an answer              {answer:6.3f} ms  ({answer / floor:.1f} times the floor)")
    print(f"choice of what we begin          {begun:6.3f} ms  ({begun / floor:.1f} times the floor)")
    print(f"seeing the records as one person {joined:6.3f} ms")
    print(f"folding one more entry           {one_more:6.3f} ms")
    worst = max(answer, begun)
    print(f"a decision takes {worst:.3f} ms (target {TARGET:.0f} ms)")
    return 0 if worst < TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
