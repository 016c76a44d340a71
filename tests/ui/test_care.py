"""What a person sees of care: unsure replies, what happened while away, damaged files, full disks, things taken out."""

from __future__ import annotations

import json

import msgspec
import pytest

from agentconsole.desk import Away, DamagedRecord, ErasedCustomer, OutboxLine
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    ConversationId,
    CustomerId,
    Delivery,
    DeliveryRecord,
    Draft,
    EntryId,
    Medium,
)
from agentconsole.errors import Refused, StoreFault
from agentconsole.text.sanitise import holds_control
from agentconsole.ui import care_pages
from agentconsole.ui.say import Say
from tests.ui.console import LARGE, SMALL, running
from tests.ui.demo_app import HOSTILE, care, unsure
from tests.ui.desk_double import NOW, DeskDouble, email, emily, phone

BOTH_SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
BOTH_LANGUAGES = pytest.mark.parametrize("language", ["en", "ko"])
READER = frozenset({"read", "reply"})


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_everything_at_once_fits_the_screen(size: tuple[int, int], language: str) -> None:
    desk = DeskDouble()
    care(desk)
    async with running(desk, size=size, language=language) as console:
        say = console.app.say
        await console.sees(say("away.uncertain", n="1"), say.banner("sending_rests"), say("damage.key"))
        await console.press("U")
        await console.sees(say("uncertain.title", n="2"), "hyun", "mina", say("ago.minutes", n="12"), "11 March")
        await console.press("escape")
        await console.press("D")
        await console.sees(say("damage.previous"), say("damage.entries", n="3"))
        widths = {len(line) for line in console.screen.split("\n")}
        assert max(widths) <= size[0]


# -- while you were away -----------------------------------------------------------------------------------


async def test_strip_of_what_happened_leads_to_the_view(desk: DeskDouble) -> None:
    unsure(desk, "emily", "mina", "mail", "See you then.", 12)
    desk.missed = Away(NOW, sent=1, uncertain=1)
    async with running(desk) as console:
        await console.sees("While you were away: 1 sent, 1 may have gone out. U shows it.")
        await console.press("U")
        await console.sees("MAY HAVE GONE OUT (1)", "12 min", "mina", "Emily Rhodes", "See you then.")


async def test_away_and_the_draft_that_is_back_are_told_together_and_name_no_letter(desk: DeskDouble) -> None:
    desk.missed = Away(NOW, uncertain=1)
    draft = Draft(AgentName("mina"), CustomerId("emily"), ConversationId("c-emily"), "half a", 1, NOW)
    desk.kept[draft.conversation] = draft
    async with running(desk) as console:
        await console.sees("While you were away: 1 may have gone out. esc, then U shows it. Your draft of")
        assert (console.app.where, console.box.text) == ("box", "half a")
        console.app._guard_until = 0.0
        await console.press("escape", "U")
        await console.sees("MAY HAVE GONE OUT (0)")
        await console.press("escape", "r")
        await console.until(lambda: console.app.where == "box")
        assert console.box.text == "half a"


async def test_nothing_happened_says_nothing(desk: DeskDouble) -> None:
    async with running(desk) as console:
        assert desk.called("away")
        assert console.strip == ""


async def test_hub_that_was_restarted_under_the_console_is_told_once_with_what_it_did(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("r")
        await console.until(lambda: console.app.where == "box")
        await console.type("half a sentence")
        desk.gone = True
        desk.tell()
        await console.sees("Hub not answering")
        desk.missed = Away(NOW, sent=2, failed=1)
        desk.gone = False
        await console.sees("While you were away: 2 sent, 1 failed. The hub answers again. What you typed is kept.")
        assert (console.app.where, console.box.text) == ("box", "half a sentence")
        await console.until(lambda: desk.kept and next(iter(desk.kept.values())).text == "half a sentence")
        console.app.tell("strip.undone")
        desk.tell("emily")
        asked = len(desk.called("away"))
        await console.until(lambda: len(desk.called("away")) > asked)
        assert console.strip == "Undone."


async def test_line_that_was_cut_and_came_back_unseen_is_told_with_the_next_news(desk: DeskDouble) -> None:
    async with running(desk) as console:
        desk.missed = Away(NOW, answered=1)
        desk.tell("emily")
        await console.sees("While you were away: 1 answered.")


# -- what may have gone out --------------------------------------------------------------------------------


async def test_check_tells_what_the_provider_knows_and_the_row_goes_with_proof(desk: DeskDouble) -> None:
    reply = unsure(desk, "emily", "hyun", "mail", "See you then.", 130)
    async with running(desk) as console:
        await console.press("U")
        await console.sees("2 h", "hyun")
        await console.press("d", "c")
        await console.sees("E-mail has no proof yet for Emily Rhodes: may have gone out. Not sent again.")
        desk.proof[reply] = Delivery.SENT
        await console.press("d", "c")
        await console.sees("E-mail has proof: the reply to Emily Rhodes is sent.", "MAY HAVE GONE OUT (0)")


async def test_check_of_a_provider_that_cannot_be_asked_does_not_claim_to_have_asked(desk: DeskDouble) -> None:
    unsure(desk, "emily", "hyun", "mail", "See you then.", 130)
    desk.asked = "cannot"
    async with running(desk) as console:
        await console.press("U")
        await console.sees("MAY HAVE GONE OUT (1)")
        await console.press("d", "c")
        await console.sees("E-mail cannot be asked about one reply")


async def test_check_of_a_reply_that_failed_says_that_nothing_is_unsure(desk: DeskDouble) -> None:
    reply = unsure(desk, "emily", "hyun", "mail", "See you then.", 130)
    desk.receipt(reply, Delivery.FAILED, reason="bounced", attempt=2)
    async with running(desk) as console:
        await console.press("g", "o")
        await console.until(lambda: console.app.page.chosen == reply)
        await console.press("d", "c")
        await console.sees("This reply has failed for certain")
        assert not desk.called("outbox_check")


async def test_proof_that_comes_by_itself_takes_the_row_away_for_everybody(desk: DeskDouble) -> None:
    reply = unsure(desk, "emily", "hyun", "mail", "See you then.", 5)
    async with running(desk) as console:
        await console.press("U")
        await console.sees("MAY HAVE GONE OUT (1)", "1 may have gone out")
        desk.receipt(reply, Delivery.DELIVERED)
        await console.sees("MAY HAVE GONE OUT (0)", "Nothing is unsure")


@pytest.mark.parametrize(
    ("key", "call", "asked", "told"),
    [
        ("s", "resend", "Send again to Emily Rhodes on e-mail, same ID? It may arrive twice.", "goes out again"),
        ("m", "mark_sent", "Mark the reply to Emily Rhodes as sent, for everybody?", "is marked as sent"),
        ("x", "cancel", "Give up the reply to Emily Rhodes? Nothing more is sent.", "is given up"),
    ],
)
@pytest.mark.parametrize("place", ["page", "timeline"])
async def test_what_cannot_be_taken_back_is_asked_once(
    desk: DeskDouble, key: str, call: str, asked: str, told: str, place: str
) -> None:
    reply = unsure(desk, "emily", "mina", "mail", "See you then.", 0.1)
    async with running(desk) as console:
        await console.press("U")
        await console.until(lambda: console.app.page.chosen == reply)
        if place == "timeline":
            await console.press("enter")
            await console.until(lambda: console.app.where == "conversation")
        await console.press("d", key)
        await console.sees(asked, "y does it, any other key leaves it")
        await console.answer("n")
        await console.sees("Left as it is.")
        assert not desk.called(call)
        await console.press("d", key)
        await console.answer("y")
        await console.sees(told)
        assert desk.called(call) == [(reply,)]


async def test_question_is_not_answered_by_the_same_read_a_repeat_or_hangul(desk: DeskDouble) -> None:
    unsure(desk, "emily", "mina", "mail", "See you then.", 5)
    async with running(desk) as console:
        await console.press("U")
        await console.sees("MAY HAVE GONE OUT (1)")
        await console.press("d", "s", "y")
        question = console.app.acting.question
        assert question is not None, "typed in one read, so it was meant for something else"
        await console.answer("ㅛ")
        await console.sees("press 한/영")
        assert console.app.acting.question is not None
        console.app.tell("strip.undone")
        await console.answer("y")
        await console.sees("Send again to Emily Rhodes")
        assert not desk.called("resend"), "nobody says yes to what is not on the screen"
        await console.answer("s")
        await console.sees("Left as it is.")
        assert not desk.called("resend")


async def test_somebody_else_decided_meanwhile(desk: DeskDouble) -> None:
    unsure(desk, "emily", "mina", "mail", "See you then.", 5)

    async def refused(*_: object) -> None:
        raise Refused("This reply is already: sent. Nothing was changed.", "")

    desk.resend = refused  # type: ignore[assignment]
    async with running(desk) as console:
        await console.press("U")
        await console.sees("MAY HAVE GONE OUT (1)")
        await console.press("d", "s")
        await console.answer("y")
        await console.sees("This reply is already: sent. Nothing was changed.")


async def test_keys_of_a_decision_say_where_there_is_none(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        for key in "csmx":
            await console.press("d", key)
            await console.sees("Nothing to decide here")
            console.app.tell("strip.undone")
        assert not {name for name, _ in desk.calls} & {"outbox_check", "resend", "mark_sent", "cancel"}


async def test_enter_opens_the_customer_at_the_reply(desk: DeskDouble) -> None:
    reply = unsure(desk, "emily", "hyun", "mail", "See you then.", 5)
    async with running(desk) as console:
        await console.press("U")
        await console.sees("MAY HAVE GONE OUT (1)")
        await console.press("enter")
        await console.until(lambda: console.app.where == "conversation" and console.app.timeline.chosen == reply)


# -- damage and full disks ---------------------------------------------------------------------------------


def damage(desk: DeskDouble, entries: int = 2, previous: int = 3) -> None:
    name = CustomerId("minsu")
    desk.broken[name] = DamagedRecord(name, "박민수", "the checksum does not match", entries, previous)
    desk.tell(health=True)


async def test_page_of_damage_offers_nothing_where_nothing_can_be_read(desk: DeskDouble) -> None:
    damage(desk, entries=-1, previous=-1)
    async with running(desk) as console:
        await console.press("D")
        await console.sees("Nothing can be taken back. Restore a backup, or: agentconsole customer", "erase minsu")
        assert "enter takes one back" not in console.screen


async def test_damaged_customer_is_taken_back_after_one_question(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("박민수")
        assert "Only read" not in console.screen
        desk.set_aside = 2
        damage(desk)
        await console.sees(
            "Only read: the file is damaged on disk. No other customer is touched.", "wait (2 set aside)."
        )
        await console.press("D")
        await console.sees("as it is", "2 entries", "version before", "3 entries")
        await console.press("j", "enter")
        await console.sees("Take 박민수 back: version before, 3 entries?")
        await console.answer("y")
        await console.sees("박민수 is back in use.", "No file is damaged.")
        assert desk.called("accept") == [("minsu", True)]
        await console.press("escape")
        await console.until(lambda: "Only read" not in console.screen)


async def test_without_the_right_it_says_whom_to_ask(desk: DeskDouble) -> None:
    damage(desk, entries=-1)
    async with running(desk, rights=READER) as console:
        await console.press("D")
        await console.sees("nothing can be read", "3 entries", "ask an operator")
        await console.press("j", "enter")
        assert console.app.acting.question is None
        assert not desk.called("accept")


async def test_other_customers_show_nothing_of_it(desk: DeskDouble) -> None:
    damage(desk)
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        assert "Only read" not in console.screen


async def test_banner_stays_beside_the_strip_and_goes_by_itself(desk: DeskDouble) -> None:
    async with running(desk) as console:
        desk.banner = "disk_full"
        desk.tell(health=True)
        await console.sees("The disk is nearly full: nothing new is fetched. Nothing was lost; free some disk.")
        await console.press("=")
        await console.sees("= means nothing here", "The disk is nearly full")
        desk.banner = ""
        desk.tell(health=True)
        await console.until(lambda: "The disk is nearly full" not in console.screen)
        assert not console.app.banner.display


async def test_disk_that_cannot_be_read_for_a_while_does_not_make_the_console_deaf(desk: DeskDouble) -> None:
    async with running(desk) as console:
        status, fault = desk.status, StoreFault("The disk refuses (EIO). Nothing was lost.", "Look at the disk.")

        async def refuses(*_: object) -> None:
            raise fault

        desk.status = refuses  # type: ignore[assignment]
        desk.tell(health=True)
        await console.sees("The disk refuses (EIO). Nothing was lost. Look at the disk.")
        desk.status = status  # type: ignore[method-assign]
        desk.received("new", "sms", phone("+447700900123"), "still there?", minutes=0, name="Ann New")
        await console.sees("Ann New")


# -- taken out for good ------------------------------------------------------------------------------------


async def test_text_is_removed_with_a_reason_and_says_so(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("k")
        while not getattr(console.app.timeline.chosen_entry, "text", ""):
            await console.press("k")
        chosen = console.app.timeline.chosen
        await console.press("R")
        await console.sees("Why?", "Why removed:")
        await console.press("enter")
        await console.sees("No reason given, nothing removed.")
        await console.press("R")
        await console.type("card number")
        await console.press("enter")
        await console.sees("Removed for good.", "removed on 3 Mar by mina: card number")
        assert desk.called("redact") == [(chosen, "card number")]
        await console.until(lambda: "Dr Adams" not in console.screen)
        assert console.screen.count("card number") == 1
        await console.press("R")
        await console.sees("Nothing to remove here")


async def test_removing_needs_its_right(desk: DeskDouble) -> None:
    async with running(desk, rights=READER) as console:
        await console.open("Emily Rhodes")
        await console.press("R")
        await console.sees("This needs the right customer: ask an operator. Nothing was changed.")
        assert console.app.where == "conversation"


async def palette(console: object, words: str) -> None:
    await console.press("ctrl+p")  # type: ignore[attr-defined]
    await console.type(words)  # type: ignore[attr-defined]
    await console.press("enter")  # type: ignore[attr-defined]


async def test_customer_is_erased_after_the_name_was_typed(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await palette(console, "erase this")
        await console.sees("Erases Emily Rhodes for good", "Name again:")
        await console.type("Emily")
        await console.press("enter")
        await console.sees("That is not Emily Rhodes. Nothing was erased.")
        assert not desk.called("erase")
        await palette(console, "erase this")
        await console.type("emily rhodes")
        await console.press("enter")
        await console.sees("ERASED: Emily Rhodes", "2 files", "Out of reach from here:", "us@example.com")
        await console.press("escape")
        await console.until(lambda: console.app.queue.total == 3)
        assert console.app.reading.opened is None
        assert "Dr Adams" not in console.screen


async def test_erasing_lets_go_of_the_draft(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("r")
        await console.type("Dear Emily")
        await console.press("escape")
        await palette(console, "erase this")
        await console.type("Emily Rhodes")
        await console.press("enter")
        await console.sees("ERASED: Emily Rhodes")
        saved = len(desk.called("save_draft"))
        await console.app.writer.flush()
        assert len(desk.called("save_draft")) == saved
        await console.press("escape")
        await console.open("박민수")


async def test_customer_whom_somebody_else_erased_leaves_this_screen_too(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("r")
        await console.type("Dear Emily")
        await desk.erase(console.app.who, "theirs", CustomerId("emily"))
        await console.sees("Emily Rhodes was erased by somebody else.")
        assert "Dr Adams" not in console.screen
        assert "Dear Emily" not in console.screen
        await console.open("박민수")


async def test_erasing_needs_its_right(desk: DeskDouble) -> None:
    async with running(desk, rights=READER) as console:
        await console.open("Emily Rhodes")
        await palette(console, "erase this")
        await console.sees("This needs the right operate: ask an operator. Nothing was changed.")
        assert EntryId("") == console.app.acting._redacting


async def test_long_words_of_a_provider_do_not_cut_off_the_key(desk: DeskDouble) -> None:
    reply = unsure(desk, "emily", "mina", "mail", "See you then.", 0.2)
    desk.records[CustomerId("emily")][-1] = msgspec.structs.replace(
        desk.records[CustomerId("emily")][-1],
        detail="The line to the provider broke while it had the request: " + "word " * 30,  # type: ignore[call-arg]
    )
    async with running(desk) as console:
        await console.press("U")
        await console.until(lambda: console.app.page.chosen == reply)
        await console.press("enter")
        await console.sees("d decide")


def test_no_hostile_string_leaves_a_page_of_care_as_a_control() -> None:
    strings = [case["payload"] for case in json.loads(HOSTILE.read_text())["strings"]]
    say = Say("en", "UTC")
    for text in strings:
        record = DeliveryRecord(
            reply=EntryId("e"),
            state=Delivery.UNCERTAIN,
            at=NOW,
            account=AccountName(text),
            medium=Medium(text),
            address=email(text),
            conversation=ConversationId("c"),
            agent=AgentName(text),
            queued_at=NOW,
            reason=text,
            detail=text,
        )
        damage = DamagedRecord(CustomerId(text), text, text, 1, 2)
        items = [
            *care_pages.uncertain([OutboxLine(CustomerId("c"), text, record, text)], say, NOW, 80),
            *care_pages.damaged([damage], True, say, 80),
            *care_pages.erased(text, ErasedCustomer(CustomerId("c"), 1, 2, 3, (text,)), say, 80),
        ]
        shown = [run for item in items for run, _ in item.line]
        shown.append(say("ask.accept", name=text, which=text, n="1"))
        assert not [run for run in shown if holds_control(run)], repr(text)
