"""Drafts that survive, wherever the console or the hub ends."""

from __future__ import annotations

import asyncio

import pytest

from agentconsole.desk import Agent
from agentconsole.domain.model import (
    ConversationId,
    Draft,
)
from agentconsole.errors import StoreFault
from agentconsole.ui import keeping
from tests.ui.console import running
from tests.ui.desk_double import DeskDouble, email, emily
from tests.ui.writing_helpers import BOTH_LANGUAGES, BOTH_SIZES, a_draft, begin
from tests.waiting import DEADLINE


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


async def test_draft_is_kept_half_a_second_after_the_last_key_and_on_leaving(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("Dear Emi")
        await console.until(lambda: desk.kept.get(ConversationId("c-emily")), "kept while typing")
        kept = desk.kept[ConversationId("c-emily")]
        assert (kept.text, kept.caret) == ("Dear Emi", (0, 8))
        await console.sees("kept 14:02")
        await console.type("ly")
        await console.press("escape")
        await console.sees("Draft kept, nothing was sent. r brings it back.")
        await console.until(lambda: desk.kept[ConversationId("c-emily")].text == "Dear Emily")
        await console.press("r")
        await console.until(lambda: console.box.text == "Dear Emily")
        assert console.box.cursor_location == (0, 10)
        await console.press("ctrl+s")
        await console.until(lambda: not desk.kept, "dropped once accepted")
        assert desk.called("reply")[0][0] == kept.request


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_draft_is_back_after_a_restart(desk: DeskDouble, size: tuple[int, int], language: str) -> None:
    address = email("emily@example.com")
    desk.kept[ConversationId("c-emily")] = a_draft(account="mail", address=address)
    async with running(desk, size=size, language=language, coach=True) as console:
        await console.until(lambda: console.app.where == "box")
        await console.sees("half a sentence", "13:40")
        await console.sees("nothing was sent" if language == "en" else "발송된 것 없음")
        assert console.box.cursor_location == (0, 4)
        assert console.coach.events == ["draft_restored"]
        assert console.app.queue.chosen is not None
        assert console.app.queue.chosen.conversation == "c-emily", "the list means whom the box means"
        assert console.app._guard_until
        console.app.guard()
        await console.press("x")
        assert console.box.text == "half a sentence", "a key that was meant for the list"
        console.app._guard_until = 0.0
        await console.until(lambda: console.app.writer.now.choice is not None)  # type: ignore[union-attr]
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        request, compose = desk.called("reply")[0]
        assert (request, compose.route.address) == ("request-of-the-draft-1", address)


async def test_two_consoles_of_one_agent_are_told_apart(desk: DeskDouble) -> None:
    here = ConversationId("c-emily")
    async with running(desk) as console:
        await begin(console)
        await console.type("Dear")
        await console.until(lambda: desk.kept.get(here))
        first = desk.kept[here]
        await console.type(" Emily")
        await console.until(lambda: desk.kept[here].text == "Dear Emily")
        assert (desk.kept[here].console, desk.kept[here].seen) == (first.console, first.at)
    async with running(desk) as console:
        await console.until(lambda: console.app.where == "box")
        console.app._guard_until = 0.0
        await console.type("!")
        await console.until(lambda: desk.kept[here].text == "Dear Emily!")
        assert desk.kept[here].console not in ("", first.console)
        assert not desk.kept[here].displaces(first)


async def test_draft_of_a_note_comes_back_as_a_note(desk: DeskDouble) -> None:
    desk.kept[ConversationId("c-emily")] = a_draft("call her", note=True)
    async with running(desk) as console:
        await console.sees("Note on Emily Rhodes, only for us", "call her")


async def test_each_conversation_has_its_own_draft(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("for emily")
        await console.press("escape")
        await begin(console, "田中ゆき")
        assert console.box.text == ""
        await console.type("for tanaka")
        await console.press("escape")
        await begin(console)
        assert console.box.text == "for emily"
        await console.until(lambda: len(desk.kept) == 2)
        await console.press("escape")
        await console.sees("d|")


async def test_draft_that_a_full_disk_refused_is_kept_later_without_another_key(
    desk: DeskDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "KEEP_AGAIN", 0.2)
    save = desk.save_draft
    refused = []

    async def full(who: Agent, draft: Draft) -> bool:
        refused.append(draft)
        if len(refused) < 3:
            raise StoreFault("The disk is full.", "Free some space.")
        return await save(who, draft)

    desk.save_draft = full  # type: ignore[method-assign]
    async with running(desk) as console:
        await console.press("r")
        await console.until(lambda: console.app.where == "box")
        await console.type("half a sentence")
        await console.sees("The disk is full.", "not kept yet")
        await console.until(lambda: desk.kept and next(iter(desk.kept.values())).text == "half a sentence")
        assert len(refused) == 3


async def test_hub_gone_keeps_the_draft_here_and_saves_it_when_it_is_back(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        desk.gone = True
        desk.tell()
        await console.sees("Hub not answering", "Draft kept here; sending paused.", "HUB OFF")
        assert console.app.hub_gone_since is not None
        console.app.hub_gone_since -= 10
        console.app.hub_gone()
        await console.sees("Hub gone for 1", "Draft kept here", "agentconsole status")
        await console.type("typed in the dark")
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("warnings"))
        assert console.box.text == "typed in the dark"
        assert not desk.kept
        request = console.app.writer.now.request  # type: ignore[union-attr]
        desk.gone = False
        await console.until(lambda: desk.kept, "kept on reconnect")
        assert desk.kept[ConversationId("c-emily")].text == "typed in the dark"
        await console.until(lambda: "HUB OFF" not in console.screen)
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        assert [call[0] for call in desk.called("reply")] == [request], "the same request: one reply at most"


async def test_set_aside_empties_the_box_and_undo_brings_it_back(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("not now")
        await console.until(lambda: desk.kept)
        await console.press("ctrl+n")
        await console.until(lambda: not desk.kept)
        assert console.box.text == ""
        await console.press("escape", "u")
        await console.until(lambda: console.app.where == "box" and console.box.text == "not now")


async def test_ending_keeps_what_was_typed_a_moment_ago(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("last wor")
        await console.app.end()
        assert desk.kept[ConversationId("c-emily")].text == "last wor"


async def test_ending_does_not_wait_for_a_hub_that_is_silent(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("last")
        desk.slow = 100 * DEADLINE
        async with asyncio.timeout(DEADLINE):
            await console.app.end()
        assert console.app.writer.now.text == "last"  # type: ignore[union-attr]


async def test_korean_is_sent_composed(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        console.box.load_text("\u1112\u1161\u11ab\u1100\u1173\u11af")
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        assert desk.called("reply")[0][1].text == "한글"


async def test_typing_without_a_pause_does_not_put_the_keeping_off(
    desk: DeskDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who types for a minute loses no minute when the console is killed."""
    async with running(desk) as console:
        await begin(console)
        monkeypatch.setattr(keeping, "KEEP_LATEST", 600.0)
        await console.type("a")
        first = console.app.writer.timer
        await console.type("b")
        assert console.app.writer.timer is not first
        monkeypatch.setattr(keeping, "KEEP_LATEST", 0.0)
        pending = console.app.writer.timer
        await console.type("c")
        assert console.app.writer.timer in (pending, None)
        await console.until(lambda: desk.kept and next(iter(desk.kept.values())).text == "abc")
