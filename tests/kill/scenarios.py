"""The scenarios that are played with a death at every border."""

from __future__ import annotations

from agentconsole.seams import Step
from tests.kill.acts import (
    Answers,
    Arrived,
    Damages,
    Deposits,
    Drafts,
    DropsDraft,
    Erases,
    Finds,
    Mends,
    Merges,
    Notes,
    Redacts,
    Resolves,
    Restarts,
    Says,
    Seen,
    SetAside,
    Settles,
    Splits,
    Unmerges,
    Unsplits,
)
from tests.kill.play import Scenario
from tests.kill.world import Person

ADA = Person("Ada Chat", "chat", "101")
BO = Person("Bo Chat", "chat", "102")
EMILY = Person("Emily Rhodes", "mail", "emily@home.example")
MINSU = Person("+821012345678", "sms", "+821012345678")

CHAT = Scenario(
    "two customers by chat",
    ("chat",),
    (
        Says(ADA, "Where is my order?"),
        Says(BO, "배송 언제 오나요?"),
        Arrived(ADA, "Where is my order?"),
        Arrived(BO, "배송 언제 오나요?"),
        Answers(ADA, "It left today."),
        Answers(BO, "오늘 출발했습니다."),
        Drafts(ADA, "half a sente"),
        Settles(),
    ),
)

THREE_CHANNELS = (
    Says(EMILY, "Could it be 11 March?"),
    Says(MINSU, "배송 언제 오나요?"),
    Says(ADA, "Any news? My door code is 7391 and blue"),
    Arrived(EMILY, "Could it be 11 March?"),
    Arrived(MINSU, "배송 언제 오나요?"),
    Arrived(ADA, "Any news? My door code is 7391 and blue"),
    Answers(EMILY, "11 March it is."),
    Answers(MINSU, "오늘 출발했습니다."),
    Answers(ADA, "We look into it."),
    Drafts(EMILY, "half a sente"),
    Notes(EMILY, "calls herself Em"),
    Settles(),
)

EVERYTHING = Scenario(
    "everything on three channels",
    ("chat", "mail", "sms"),
    (
        *THREE_CHANNELS,
        Seen(EMILY),
        Merges(EMILY, ADA),
        Answers(EMILY, "Both of you are one.", "chat"),
        Restarts(),
        Says(ADA, "Thank you both"),
        Arrived(ADA, "Thank you both"),
        Splits(EMILY, ADA),
        Says(ADA, "But I am somebody else"),
        Arrived(ADA, "But I am somebody else"),
        Unsplits(EMILY),
        Unmerges(EMILY),
        DropsDraft(EMILY),
        Finds("March"),
        Resolves(EMILY),
        Settles(),
    ),
)

CARE = Scenario(
    "redact, erase, import",
    ("chat", "mail", "sms"),
    (
        Says(ADA, "My door code is 7391 and blue"),
        Says(MINSU, "배송 언제 오나요?"),
        Arrived(ADA, "My door code is 7391 and blue"),
        Arrived(MINSU, "배송 언제 오나요?"),
        Answers(MINSU, "오늘 출발했습니다."),
        *(Notes(ADA, f"note {number}") for number in range(6)),
        Settles(),
        Deposits(EMILY, ("The first old mail", "The second old mail")),
        Redacts("My door code is 7391 and blue"),
        Erases(MINSU, ("배송 언제 오나요?", "오늘 출발했습니다.")),
        Restarts(),
        Arrived(EMILY, "The first old mail"),
    ),
)

DAMAGE = Scenario(
    "a damaged file, put back",
    ("chat",),
    (
        Says(ADA, "one"),
        Arrived(ADA, "one"),
        Damages(ADA),
        Says(ADA, "two"),
        SetAside(),
        Mends(),
        Arrived(ADA, "two"),
    ),
)

ALL = (CHAT, EVERYTHING, CARE, DAMAGE)

BY_CHAT = {
    Step.AUDIT_WRITE,
    Step.BLOB_WRITE,
    Step.CURSOR_SAVE,
    Step.DRAFT_WRITE,
    Step.HEAD_WRITE,
    Step.INDEX_UPDATE,
    Step.SEARCH_UPDATE,
    Step.SPOOL_DONE,
    Step.SPOOL_WRITE,
    Step.STORE_CREATE,
}

STEPS: dict[str, set[Step]] = {
    CHAT.name: BY_CHAT,
    EVERYTHING.name: BY_CHAT | {Step.DRAFT_DROP, Step.KEY_WRITE, Step.VOLUME_SEAL},
    CARE.name: (BY_CHAT - {Step.DRAFT_WRITE})
    | {Step.BLOB_FORGET, Step.COMPACT, Step.ERASE_BEGIN, Step.ERASE_END, Step.ERASE_FILES, Step.LEDGER_WRITE}
    | {Step.REWRITE_BEGIN, Step.REWRITE_CLEAN, Step.REWRITE_END, Step.VOLUME_SEAL},
    DAMAGE.name: (BY_CHAT - {Step.AUDIT_WRITE, Step.DRAFT_WRITE}) | {Step.SPOOL_SET_ASIDE},
}
"""Which steps each scenario passes; a step that none passes fails a test."""
