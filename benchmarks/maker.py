"""Makes big stores fast: heads and volumes as the store itself would leave them, without one change an entry.

Everything is encoded by the store's own encoders and folded by the domain, so that a store made here opens like any
other; only the index is left to the first start, which is a figure of its own (``benchmarks.size``).
"""

from __future__ import annotations

import asyncio
import os
import random
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from agentconsole.domain import history
from agentconsole.domain.entries import (
    AnyEntry,
    Receipt,
    Received,
    Reply,
    StatusChanged,
)
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
)
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store import codec
from agentconsole.store.embedded import EmbeddedStore, files
from agentconsole.store.embedded.head import Volume, head_path, volume_path

START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_VOLUME: Final = 200
"""Entries of a volume: what is left of a full head when half of it was sealed."""


def _words(text: str) -> list[str]:
    return text.split()


_KOREAN: Final = _words(
    "배송 환불 주문 결제 영수증 교환 반품 계정 비밀번호 로그인 상품 수량 색상 주소 전화번호 이메일 쿠폰 할인 포인트 "
    "회원 예약 취소 변경 문의 답변 상담원 고객센터 택배 송장 창고 재고 품절 입고 사이즈 포장 파손 불량 설치 기사 방문 "
    "일정 오전 오후 내일 어제 지난주 이번달 금액 계좌 이체 카드 현금 세금 계산서 사업자 등록 서류 첨부 사진 화면 오류 "
    "접속 앱"
)
_PARTICLES: Final = ("이", "가", "을", "를", "은", "는", "에", "에서", "으로", "도", "만", "까지")
_ENDINGS: Final = (
    "안 됩니다.",
    "확인 부탁드립니다.",
    "언제 되나요?",
    "받지 못했습니다.",
    "알려 주세요.",
    "감사합니다.",
)
_ENGLISH: Final = _words(
    "order delivery refund invoice receipt exchange return account password login product quantity colour address "
    "telephone coupon discount points member booking cancel change question answer agent support parcel tracking "
    "warehouse stock size packing broken faulty install visit appointment morning afternoon tomorrow yesterday week "
    "month amount transfer card cash tax company document picture screen error connection application please check "
    "when will not arrived yet could you tell me about the my for and still waiting since Friday thank"
)
_FAMILY: Final = _words("김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황 안 송 류 홍")
_GIVEN: Final = _words(
    "민준 서연 도윤 지우 하준 서현 주원 민서 지호 수아 예준 하윤 은우 지민 시우 다은 유진 현우 소율 태양"
)
_FIRST: Final = _words("Emily James Olivia Noah Amelia George Isla Arthur Ava Leo Mia Oscar Grace Harry Freya Jack")
_LAST: Final = _words(
    "Hart Smith Jones Taylor Brown Davies Evans Wilson Thomas Roberts Walker Wright Hughes Green Hall"
)
_MEDIA: Final = (("mail", "email", "email"), ("sms", "sms", "phone"))


class Plan(NamedTuple):
    """One customer to make: how many messages, over how many conversations at least, and whether the last one waits."""

    number: int
    messages: int
    conversations: int = 0
    waits: bool = False


def record_of(number: int) -> CustomerId:
    return CustomerId(f"k{number:07}big")


def address_of(number: int) -> Address:
    return Address("email", "", f"c{number}@example.com")


def sizes(customers: int, messages: int, seed: int = 1) -> list[int]:
    """Return how many messages each customer has: most a few, some very many, as mail boxes are."""
    chance = random.Random(seed)
    raw = [min(chance.paretovariate(1.05), 2000.0) for _ in range(customers)]
    scale = messages / sum(raw)
    found = [max(1, int(size * scale)) for size in raw]
    short = messages - sum(found)
    for place in range(abs(short)):
        spot = place % customers
        if short > 0:
            found[spot] += 1
        elif found[spot] > 1:
            found[spot] -= 1
    return found


def text(chance: random.Random, korean: bool, octets: int) -> str:
    """Return some sentences of about so many bytes of UTF-8."""
    parts: list[str] = []
    length = 0
    while length < octets:
        if korean:
            part = " ".join(chance.choice(_KOREAN) + chance.choice(_PARTICLES) for _ in range(4))
            part += " " + chance.choice(_ENDINGS)
            length += len(part) * 3
        else:
            part = " ".join(chance.choices(_ENGLISH, k=9)) + "."
            length += len(part)
        if not chance.randrange(6):
            part += f" {chance.randrange(10_000, 99_999)}"
        parts.append(part)
    return " ".join(parts)


def entries(plan: Plan, chance: random.Random, at: datetime) -> Iterator[AnyEntry]:
    """Yield what happened with one customer, oldest first: messages, answers with their receipts, ends of work."""
    number = plan.number
    korean = bool(number % 2)
    name = (
        chance.choice(_FAMILY) + chance.choice(_GIVEN)
        if korean
        else f"{chance.choice(_FIRST)} {chance.choice(_LAST)} {number}"
    )
    account, medium, kind = _MEDIA[0 if number % 3 else number % 2]
    sender = address_of(number) if kind == "email" else Address(kind, "", f"+8210{number:08}")
    wanted = plan.conversations or max(1, min(plan.messages // 12, 60))
    length = max(1, plan.messages // wanted)
    done = 0
    while done < plan.messages:
        conversation = ConversationId(f"c{number}-{done // length}")
        subject = text(chance, korean, 30)[:60] if medium == "email" else ""
        for place in range(min(length, plan.messages - done)):
            at += timedelta(seconds=chance.randrange(60, 90_000))
            unique = f"{number}-{done + place}"
            if place and not chance.randrange(5):
                reply = EntryId(f"er{unique}")
                yield Reply(
                    id=reply,
                    at=at,
                    agent=AgentName(f"agent{chance.randrange(8)}"),
                    conversation=conversation,
                    account=AccountName(account),
                    medium=Medium(medium),
                    address=sender,
                    text=text(chance, korean, chance.randrange(100, 700)),
                    key=f"er{unique}@us.example.com",
                    subject=f"Re: {subject}" if subject else "",
                    rule="last_channel",
                )
                for turn, state in enumerate((Delivery.SENDING, Delivery.SENDING, Delivery.SENT)):
                    yield Receipt(
                        id=EntryId(f"et{unique}-{turn}"),
                        at=at + timedelta(seconds=1 + turn),
                        reply=reply,
                        state=state,
                        attempt=1,
                        committed=turn > 0,
                        external_id=f"x{unique}" if turn == 2 else "",
                    )
            else:
                yield Received(
                    id=EntryId(f"ei{unique}"),
                    at=at,
                    account=AccountName(account),
                    medium=Medium(medium),
                    sender=sender,
                    conversation=conversation,
                    stored_at=at + timedelta(seconds=3),
                    external_id=f"m{unique}@example.com",
                    sender_name=name,
                    subject=subject,
                    text=text(chance, korean, chance.randrange(150, 1200)),
                )
        done += length
        if done < plan.messages or (not plan.waits and chance.randrange(3)):
            yield StatusChanged(
                id=EntryId(f"es{number}-{done}"),
                at=at + timedelta(seconds=60),
                conversation=conversation,
                status=ConversationStatus.RESOLVED,
                by=AgentName("agent1"),
            )


def write(customers: Path, plan: Plan, seed: int = 1) -> int:
    """Write one customer's head and volumes, and return how many entries they hold. Nothing is synced."""
    chance = random.Random(f"{seed} {plan.number}")
    record = record_of(plan.number)
    start = START + timedelta(seconds=chance.randrange(0, 60_000_000))
    made = list(entries(plan, chance, start))
    snapshot = history.fold(record, made)
    path = head_path(customers, record)
    path.parent.mkdir(exist_ok=True)
    sealed = max(0, (len(made) - _VOLUME - 1) // _VOLUME) * _VOLUME
    volumes = {}
    for first in range(0, sealed, _VOLUME):
        number = first // _VOLUME + 1
        rows: dict[str, Any] = {entry.id: codec.plain(entry) for entry in made[first : first + _VOLUME]}
        data = files.encoded({"entries": rows}, 1)
        volume_path(path, number).write_bytes(data)
        volumes[f"{number:05}"] = msgspec.to_builtins(Volume(first, len(rows), len(data), zlib.crc32(data)))
    tables: dict[str, dict[str, Any]] = {
        "entries": {str(entry.id): codec.plain(entry) for entry in made[sealed:]},
        "card": {"snapshot": {"snapshot": codec.plain_snapshot(snapshot)}},
        "seen": {},
    }
    if volumes:
        tables["volumes"] = volumes
    path.write_bytes(files.encoded(tables, 1))
    return len(made)


def _write_some(customers: str, plans: list[Plan]) -> int:
    return sum(write(Path(customers), plan) for plan in plans)


def make(root: Path, plans: list[Plan], processes: int | None = None) -> int:
    """Make a store of these customers and return how many entries it holds. Its index is built at the first start."""

    async def create() -> None:
        async with EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=Steps()):
            pass

    asyncio.run(create())
    for name in root.glob("*.sqlite3*"):
        name.unlink()
    at_once = [plans[start : start + 500] for start in range(0, len(plans), 500)]
    folder = str(root / "customers")
    if len(at_once) < 2:
        total = sum(_write_some(folder, some) for some in at_once)
    else:
        with ProcessPoolExecutor(processes or os.cpu_count(), get_context("spawn")) as pool:
            total = sum(pool.map(_write_some, [folder] * len(at_once), at_once))
    os.sync()
    return total
