"""Templates filled in for a customer, and files that are larger than one call."""

from __future__ import annotations

import asyncio

import pytest

from agentconsole.desk import FILE_PART_BYTES, LARGEST_FILE, Agent, Compose
from agentconsole.domain.model import AgentName, Attachment, BlobId, ConversationId, CustomerId, EntryId, Medium
from agentconsole.domain.templates import Filled, Template
from agentconsole.errors import NotFound, Refused, TryLater, UsageError
from agentconsole.hub.desk.composing import FORGOTTEN
from agentconsole.hub.profile import HubProfile
from agentconsole.ports import Outgoing
from tests.fakes import paper
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until

NOWHERE = ConversationId("")
LATE = Template(
    "delay",
    {
        "en": "Hello {customer.first_name}, {fact.order} comes {date+2d}: {reason}. {agent.name}",
        "ko": "{customer.name}님, {fact.order} {date+2d}",
    },
    {"en": "About {conversation.subject}", "ko": "{conversation.subject}"},
)


def profile(**more: object) -> HubProfile:
    names = {AgentName("mina"): "Mina"}
    return HubProfile(region="GB", free_floor=0, templates=(LATE,), agent_names=names, **more)  # type: ignore[arg-type]


async def write(world: World, text: str, name: str = "Emily Rhodes") -> CustomerId:
    world.mail.put(paper.message("m1", EMAIL, text, sender_name=name, subject="Order 55120"))
    return await world.customer(EMAIL)


async def fill(world: World, customer: CustomerId, **values: str) -> Filled:
    who = Agent(AgentName("mina"))
    page = await world.desk.timeline(world.who, customer, EntryId(""), 5) if customer else None
    conversation = page.customer.conversations[0].id if page is not None else NOWHERE
    (found,) = await world.hub.desk.templates(who, customer, conversation, values)
    return found


async def test_what_is_known_of_the_customer_is_put_in():
    async with running(profile=profile()) as world:
        customer = await write(world, "Where is my order 55120? It is not here and I have waited for it.")
        found = await fill(world, customer)
        day = (world.clock.now().day + 2, world.clock.now())
        assert found.language == "en"
        assert found.subject == "About Order 55120"
        assert found.text.startswith(f"Hello Emily, 55120 comes {day[0]} ")
        assert found.text.endswith("{reason}. Mina")
        assert found.unfilled == ("reason",)
        assert (await fill(world, customer, reason="snow")).unfilled == ()


async def test_the_customers_language_chooses_the_text():
    async with running(profile=profile()) as world:
        customer = await write(world, "주문번호 55120 배송이 언제 오나요? 아직 받지 못했습니다.", name="박민수")
        found = await fill(world, customer)
        assert found.language == "ko"
        assert found.text.startswith("박민수님, 55120 ")
        assert "월" in found.text


async def test_what_a_customer_is_called_is_no_template():
    async with running(profile=profile()) as world:
        customer = await write(world, "hello", name="{agent.name} {{7*7}}\x1b]52;c;x\x07")
        found = await fill(world, customer)
        assert "Mina" not in found.text.split(",")[0]
        assert "49" not in found.text
        assert "\x1b" not in found.text


async def test_without_a_customer_only_dates_and_given_words_are_put_in():
    async with running(profile=profile()) as world:
        found = await fill(world, CustomerId(""), reason="snow")
        assert "{customer.first_name}" in found.text
        assert "snow" in found.text
        with pytest.raises(NotFound):
            await world.desk.templates(world.who, CustomerId("nobody"), NOWHERE, {})
        with pytest.raises(UsageError):
            await world.desk.templates(world.who, CustomerId(""), NOWHERE, {str(n): "x" for n in range(50)})


async def test_a_large_file_comes_in_parts_and_leaves_whole(world: World):
    customer = await write(world, "please send the plan")
    data = bytes(range(256)) * 5_000
    kept = None
    for offset in range(0, len(data), FILE_PART_BYTES):
        assert kept is None
        part = data[offset : offset + FILE_PART_BYTES]
        kept = await world.desk.attach_part(
            world.who, "up-1", customer, "../plan\x1b.pdf", "application/pdf", len(data), offset, part
        )
    assert kept is not None
    assert kept.size == len(data)
    assert "\x1b" not in kept.name
    await world.desk.reply(world.who, "r-1", Compose(customer, "Here it is.", attachments=(kept,)))

    async def left() -> Outgoing | None:
        return world.mail.delivered[-1] if world.mail.delivered else None

    sent = await until(left, what="the mail left")
    assert sent is not None
    assert sent.files[0].data == data


async def test_parts_out_of_order_and_too_much_are_refused(world: World):
    customer = await write(world, "please send the plan")

    async def part(request: str, size: int, offset: int, data: bytes) -> object:
        return await world.desk.attach_part(world.who, request, customer, "plan", "text/plain", size, offset, data)

    with pytest.raises(TryLater):
        await part("up-1", 10, 5, b"12345")
    with pytest.raises(UsageError, match="larger than 25 MB"):
        await part("up-2", LARGEST_FILE + 1, 0, b"")
    with pytest.raises(UsageError):
        await part("up-3", 4, 0, b"12345")
    assert await part("up-4", 4, 0, b"12") is None
    await asyncio.gather(*(part(f"more-{n}", 4, 0, b"12") for n in range(4)))
    with pytest.raises(TryLater):
        await part("up-4", 4, 2, b"34")
    nothing = await part("up-5", 0, 0, b"")
    assert nothing is not None


async def test_a_file_whose_parts_end_is_let_go_by_itself(world: World):
    customer = await write(world, "please send the plan")

    async def part(offset: int) -> object:
        return await world.desk.attach_part(world.who, "up", customer, "plan", "text/plain", 6, offset, b"12")

    assert await part(0) is None
    world.clock.move(seconds=FORGOTTEN - 1)
    assert await part(2) is None
    world.clock.move(seconds=FORGOTTEN + 1)

    async def gone() -> bool:
        return not world.hub.desk._files

    await until(gone)
    with pytest.raises(TryLater):
        await part(4)


async def test_who_may_not_reply_attaches_nothing(world: World):
    customer = await write(world, "please send the plan")
    reader = Agent(AgentName("reader"), frozenset({"read"}))
    with pytest.raises(Refused):
        await world.hub.desk.attach_part(reader, "up", customer, "plan", "text/plain", 1, 0, b"x")


async def test_files_that_a_medium_does_not_carry_refuse_the_route_before_typing_ends(world: World):
    customer = await write(world, "please send the plan")
    large = Attachment("film.mp4", "video/mp4", 19_000_000)
    choice = await world.desk.choose(world.who, Compose(customer, "Here", attachments=(large,)))
    assert [(r.reason, r.facts["limit"]) for r in choice.refused if r.route.medium == "email"] == [
        ("files_too_large", "18")
    ]


async def test_a_file_goes_along_whichever_record_the_reply_is_written_in(world: World):
    customer = await write(world, "please send the plan")
    world.chat.put(paper.message("w1", PHONE, "hello", world.clock.now(), place="chat-1"))
    other = await world.customer(PHONE)
    kept = await world.desk.attach(world.who, other, "plan.pdf", "application/pdf", b"%PDF")
    await world.desk.merge(world.who, "join", other, customer)
    await world.desk.reply(
        world.who, "r-1", Compose(other, "Here it is, joined.", medium=Medium("email"), attachments=(kept,))
    )

    async def left() -> Outgoing | None:
        return world.mail.delivered[-1] if world.mail.delivered else None

    sent = await until(left, what="the mail left")
    assert sent is not None
    assert sent.files[0].data == b"%PDF"


async def test_a_file_that_is_kept_nowhere_is_refused_and_not_sent_without_it(world: World):
    customer = await write(world, "please send the plan")
    gone = Attachment("plan.pdf", "application/pdf", 4, BlobId("0" * 64))
    with pytest.raises(Refused, match="not kept any more"):
        await world.desk.reply(world.who, "r-1", Compose(customer, "Here it is.", attachments=(gone,)))
    assert world.mail.delivered == []
