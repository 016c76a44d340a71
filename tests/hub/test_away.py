"""What became of an agent's replies while no console of theirs was attached."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

from agentconsole.desk import Agent, Away, Compose, Desk
from agentconsole.domain.model import Delivery
from agentconsole.errors import OutcomeUnknown, PermanentFailure
from agentconsole.hub.profile import HubProfile
from agentconsole.remote import RemoteDesk, as_desk
from agentconsole.seams import Steps
from agentconsole.store.embedded import EmbeddedStore, place
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.folders import quick_folder
from tests.hub.conftest import EMAIL, World, running
from tests.waiting import until


async def sits_down(world: World, claim: str = "") -> tuple[RemoteDesk, Desk, Agent]:
    """Attach as a console does; the caller closes it."""
    remote = await RemoteDesk.connect(world.socket, claim, console=True)
    return remote, as_desk(remote), remote.who


async def leaves(world: World, console: RemoteDesk, lines: int = 1) -> None:
    """Close a console and wait until the hub has noted it."""
    before = len(await told(world))
    await console.aclose()

    async def noted() -> bool:
        return len(await told(world)) >= before + lines

    await until(noted, what="the line that says so")


async def told(world: World) -> list[str]:
    return [line.act for line in await world.store.audited() if line.act in ("attach", "detach")]


async def reply(world: World, key: str, state: Delivery) -> None:
    customer = await world.customer(EMAIL)
    sent = await world.desk.reply(world.who, key, Compose(customer, f"about {key}", anyway=True))

    async def settled() -> bool:
        return (await world.desk.sent(world.who, sent.id)).state == state

    await until(settled, what=f"{key} {state}")


async def test_counts_what_happened_to_the_agents_own_replies_and_begins_anew(world: World) -> None:
    world.mail.put(paper.message("m1", EMAIL, "hello"))
    console, desk, who = await sits_down(world)
    assert await desk.away(who) == Away()
    await reply(world, "while there", Delivery.SENT)
    assert await desk.away(who) == Away()
    world.clock.move(minutes=1)
    await leaves(world, console)
    left = world.clock.now()
    world.clock.move(minutes=1)

    await reply(world, "sent", Delivery.SENT)
    world.mail.after_commit = OutcomeUnknown("line_cut", "The line was cut.")
    await reply(world, "cut", Delivery.UNCERTAIN)
    world.mail.after_commit = PermanentFailure("no_such_address", "Nobody there.")
    await reply(world, "refused", Delivery.FAILED)
    world.mail.put(paper.message("m2", EMAIL, "thank you"))

    async def answered() -> bool:
        return bool(await world.desk.search(world.who, "thank", 5))

    await until(answered)
    again, desk, who = await sits_down(world)
    assert await desk.away(who) == Away(since=left, sent=1, uncertain=1, failed=1, answered=1)
    assert await desk.away(who) == Away()
    await again.aclose()


async def test_commands_are_no_consoles_and_a_second_console_is_told_nothing(world: World) -> None:
    world.mail.put(paper.message("m1", EMAIL, "hello"))
    first, desk, who = await sits_down(world)
    await desk.away(who)
    second, desk, who = await sits_down(world)
    await first.aclose()
    world.clock.move(minutes=1)
    await reply(world, "one console is still there", Delivery.SENT)
    assert await desk.away(who) == Away()
    world.clock.move(minutes=1)
    await leaves(world, second)
    world.clock.move(minutes=1)
    command, _ = await world.attach()
    await command.status(world.who)
    await reply(world, "only commands", Delivery.SENT)
    third, desk, who = await sits_down(world)
    assert (await desk.away(who)).sent == 1
    await third.aclose()


async def test_console_that_goes_before_it_was_told_takes_nothing_away(world: World) -> None:
    world.mail.put(paper.message("m1", EMAIL, "hello"))
    console, desk, who = await sits_down(world)
    await desk.away(who)
    await leaves(world, console)
    world.clock.move(minutes=1)
    await reply(world, "one", Delivery.SENT)
    silent, _, _ = await sits_down(world)
    await silent.aclose()
    world.clock.move(minutes=1)
    again, desk, who = await sits_down(world)
    assert (await desk.away(who)).sent == 1
    await again.aclose()


async def test_agents_are_told_of_their_own_replies_only() -> None:
    async with running(profile=HubProfile(claims=frozenset({"mina"}), free_floor=0)) as world:
        world.mail.put(paper.message("m1", EMAIL, "hello"))
        mina, desk, her = await sits_down(world, "mina")
        await desk.away(her)
        await leaves(world, mina)
        world.clock.move(minutes=1)
        await reply(world, "by somebody else", Delivery.SENT)
        mina, desk, her = await sits_down(world, "mina")
        found = await desk.away(her)
        assert (found.sent, found.answered) == (0, 0)
        await mina.aclose()


async def test_an_orderly_restart_keeps_when_everybody_left() -> None:
    clock, mail = HandClock(), paper.Post()
    store = MemoryStore(clock, CountingRandomness())
    async with running(store=store, clock=clock, mail=mail) as world:
        mail.put(paper.message("m1", EMAIL, "hello"))
        await world.customer(EMAIL)
        console, desk, who = await sits_down(world)
        await desk.away(who)
    clock.move(minutes=1)
    async with running(store=store, clock=clock, mail=mail) as world:
        await reply(world, "after the restart", Delivery.SENT)
        await console.aclose()
        console, desk, who = await sits_down(world)
        assert (await desk.away(who)).sent == 1
        await console.aclose()


async def test_a_killed_hub_leaves_no_line_and_its_last_send_is_told_all_the_same() -> None:
    """A hub that dies writes no line; what the next one makes of the send in hand happened while nobody was there."""
    clock = HandClock()
    with quick_folder("aca-") as folder:

        def opened(name: str) -> Any:
            return EmbeddedStore(folder / name, clock=clock, random=CountingRandomness(), steps=Steps())

        store = opened("store")
        async with store, running(store=store, clock=clock) as world:
            world.mail.put(paper.message("m1", EMAIL, "hello"))
            console, desk, who = await sits_down(world)
            await desk.away(who)
            await reply(world, "told while there", Delivery.SENT)
            world.mail.hold = asyncio.Event()
            customer = await world.customer(EMAIL)
            await desk.reply(who, "in hand", Compose(customer, "in hand", anyway=True))

            async def committed() -> bool:
                return any(d.record.committed for d in await store.replies([Delivery.SENDING]))

            await until(committed, what="a send in hand")
            await asyncio.to_thread(_copy, folder / "store", folder / "killed")
            world.mail.hold.set()
            await console.aclose()
        clock.move(minutes=1)
        for uncertain in (1, 0):
            store = opened("killed")
            async with store, running(store=store, clock=clock) as world:
                console, desk, who = await sits_down(world)
                found = await desk.away(who)
                assert (found.sent, found.uncertain) == (0, uncertain)
                clock.move(minutes=1)
                await leaves(world, console)
            clock.move(minutes=1)


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("hub.lock"))
    place.write(target, place.here(target, place.read(target)))  # the copy stands for the folder itself
