"""What is being written: the state of one draft and of the walk over its routes. Pure, so that promises about drafts
are tested without a screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agentconsole.desk import Compose, Fallback
from agentconsole.domain.guards import Warned
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    Attachment,
    Choice,
    ConversationId,
    CustomerId,
    Draft,
    EntryId,
    Medium,
    Ranked,
    RefusedRoute,
    Route,
)
from agentconsole.text.hangul import is_hangul
from agentconsole.text.sms import parts

NO_ENTRY: Final = EntryId("")
NO_MEDIUM: Final = Medium("")
NO_AGENT: Final = AgentName("")
KEPT: Final = EntryId("kept")
"""What a text that was there before names: it gets no line of ours any more."""

CHAT_MEDIA: Final = frozenset(
    {
        "whatsapp",
        "telegram",
        "matrix",
        "kakaotalk",
        "line",
        "webchat",
        "slack",
        "discord",
        "viber",
        "wechat",
        "messenger",
    }
)
"""Media in which one writes sentence after sentence: the box stays open after a send."""


@dataclass
class Writing:
    """One draft under the hands of an agent.

    Args:
        request: the request id of its send, kept with the draft: however often it is sent, one reply results.
        expected: the newest entry that was seen when writing began.
        pinned: the route that the agent walked to; None leaves the choice to the rules.
        begun: the route that it stood on when its first word was typed, or that the agent walked to since.
        warned: what there is to warn of in ``warned_text``.
        instead_of: the failed reply in whose place this one goes.
        bridge: the line that we began the text with because the medium changes; ``bridged`` is the message it names.
        crowded: the agent was told that somebody else writes to this customer.
        taken_by: who took it over; it is only read until the agent writes on.
        reviewed: a text, and what is risky about it, as the agent was told; ``confirmed`` the same, once it may leave.
    """

    agent: AgentName
    customer: CustomerId
    conversation: ConversationId
    name: str
    request: str
    note: bool = False
    subject: str = ""
    answers: EntryId = NO_ENTRY
    answers_medium: Medium = NO_MEDIUM
    expected: EntryId = NO_ENTRY
    text: str = ""
    caret: tuple[int, int] = (0, 0)
    revision: int = 0
    kept_revision: int = 0
    kept_at: datetime | None = None
    pinned: Route | None = None
    choice: Choice | None = None
    sending: bool = False
    accepted_at: datetime | None = None
    answered: bool = False
    begun: Route | None = None
    warned: tuple[Warned, ...] = ()
    warned_text: str = ""
    crowded: bool = False
    taken_by: AgentName = NO_AGENT
    reviewed: tuple[str, tuple[str, ...]] = ("", ())
    confirmed: tuple[str, tuple[str, ...]] = ("", ())
    instead_of: EntryId = NO_ENTRY
    own_subject: str = ""
    purpose: str = ""
    proactive: bool = False
    attachments: tuple[Attachment, ...] = ()
    bridge: str = ""
    bridged: EntryId = NO_ENTRY

    @property
    def key(self) -> tuple[ConversationId, bool]:
        """What a draft is kept under: one of a reply and one of a note in each conversation."""
        return (self.conversation, self.note)

    # -- text -----------------------------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        """Whether the agent has written nothing and attached nothing: a line of ours alone is nothing."""
        return not self.attachments and self.text.strip() in ("", self.bridge)

    def begin_with(self, line: str) -> None:
        """Put a line of ours before what is written; it is no change that an agent made."""
        self.text = f"{line}\n{self.text}"
        self.caret = (self.caret[0] + 1, self.caret[1])
        self.bridge = line

    def typed(self, text: str, caret: tuple[int, int]) -> bool:
        """Take what the box holds; say whether the text is another one now."""
        moved = caret != self.caret
        self.caret = caret
        if text == self.text:
            if moved and self.revision:
                self.revision += 1
            return False
        if not text.strip():
            self.begun, self.warned = None, ()
        elif self.empty:
            self.begin_here()
        self.text = text
        self.revision += 1
        return True

    def begin_first(self, purpose: str | None) -> None:
        """Make it a message that answers nobody, about something; None: a reply."""
        self.proactive, self.purpose = purpose is not None, purpose or ""
        self.choice, self.pinned = None, None
        self.answers = NO_ENTRY

    def begin_here(self) -> None:
        """The draft is for the route that it stands on."""
        self.begun = self.at.route if self.at is not None else None

    @property
    def unsaved(self) -> bool:
        return self.revision > self.kept_revision

    def draft(self, at: datetime) -> Draft:
        return Draft(
            agent=self.agent,
            customer=self.customer,
            conversation=self.conversation,
            text=self.text,
            revision=self.revision,
            at=at,
            subject=self.subject,
            account=self.pinned.account if self.pinned is not None else AccountName(""),
            address=self.pinned.address if self.pinned is not None else None,
            caret=self.caret,
            request=self.request,
            note=self.note,
            begun=self.begun,
            attachments=self.attachments,
            instead_of=self.instead_of,
            seen=self.kept_at,
            proactive=self.proactive,
            purpose=self.purpose,
        )

    def start_over(self, request: str, at: datetime) -> None:
        """The text was accepted: what is typed next is another reply."""
        self.text, self.caret, self.request = "", (0, 0), request
        self.revision += 1
        self.kept_revision = self.revision
        self.kept_at = None
        self.sending, self.answered, self.crowded = False, False, False
        self.begun, self.warned = None, ()
        self.accepted_at = at
        self.instead_of, self.own_subject, self.purpose, self.attachments, self.bridge = NO_ENTRY, "", "", (), ""
        self.proactive = False

    # -- routes ---------------------------------------------------------------------------------------------

    def steps(self) -> tuple[Ranked | RefusedRoute, ...]:
        """Return what the walk passes: the best route, the one that answers speak for, the other ranked ones, then the
        refused ones with their reasons."""
        if self.choice is None:
            return ()
        ranked, proposed = list(self.choice.ranked), self.choice.proposal
        place = next((n for n, r in enumerate(ranked) if proposed is not None and r.route == proposed.route), 0)
        if place > 1:
            ranked.insert(1, ranked.pop(place))
        return (*ranked, *self.choice.refused)

    @property
    def at(self) -> Ranked | RefusedRoute | None:
        """The route that the draft stands on now."""
        steps = self.steps()
        if self.pinned is None:
            return steps[0] if steps else None
        for step in steps:
            if (step.route.account, step.route.address) == (self.pinned.account, self.pinned.address):
                return step
        return steps[0] if steps else None

    def outlived(self, now: datetime) -> bool:
        """Say whether something that the choice was made on has ended since: a window, a quiet hour."""
        if self.choice is None:
            return False
        ends = [datetime.fromisoformat(r.facts["until"]) for r in self.choice.ranked if r.facts.get("until")]
        ends += [refused.until for refused in self.choice.refused if refused.until is not None]
        return any(end <= now for end in ends)

    def walk(self) -> Ranked | RefusedRoute | None:
        """Go to the next route; after the last one back to the first, which follows the rules again."""
        steps, here = self.steps(), self.at
        if not steps or here is None:
            return None
        place = (steps.index(here) + 1) % len(steps)
        self.pinned = steps[place].route if place else None
        self.begun = steps[place].route if self.text.strip() else None
        self.revision += 1 if self.text else 0
        return steps[place]

    @property
    def medium(self) -> Medium:
        return self.at.route.medium if self.at is not None else NO_MEDIUM

    @property
    def chat(self) -> bool:
        return self.medium in CHAT_MEDIA

    def compose(self, *, anyway: bool = False, asking: bool = False) -> Compose:
        """Return the reply as it would be sent: by the route that the title shows, whatever changed since.

        Args:
            asking: it is only asked about, so that the rules may choose.
        """
        at = self.at
        shown = at.route if isinstance(at, Ranked) else None
        # A mail thread must not continue on another medium: the hub finds what a reply there answers.
        answers = self.answers if self.answers_medium == self.medium and not self.proactive else NO_ENTRY
        return Compose(
            customer=self.customer,
            text=self.text,
            conversation=self.conversation,
            answers=answers,
            route=None if asking else shown,
            expected=self.expected,
            anyway=anyway,
            subject=self.own_subject,
            attachments=self.attachments,
            purpose=self.purpose,
            proactive=self.proactive,
            instead_of=NO_ENTRY if asking else self.instead_of,
        )

    def count(self) -> tuple[int, int, int]:
        """Return characters, SMS parts and what is left of the last part."""
        size = parts(self.text)
        return len(self.text), size.parts, size.left


def _place(text: str, caret: tuple[int, int]) -> int:
    return sum(len(line) + 1 for line in text.split("\n")[: caret[0]]) + caret[1]


def typed_since(before: str, caret: tuple[int, int], now: str) -> str | None:
    """Return what was typed at the caret since a moment; None where the text changed in another way."""
    place = _place(before, caret)
    head, tail = before[:place], before[place:]
    if len(now) < len(before) or not now.startswith(head) or not now.endswith(tail):
        return None
    return now[len(head) : len(now) - len(tail)]


def composing(text: str, caret: tuple[int, int]) -> bool:
    """Say whether an input method may still hold a syllable back: the caret stands behind Hangul."""
    return is_hangul(text[: _place(text, caret)][-1:])


def late_syllable(before: str, caret: tuple[int, int], now: str) -> str:
    """Return the text with the syllable that an input method held back until the key that sends: it belongs to it.

    The 2-set layout composes one syllable at a time and hands it over when another key comes, which some terminals
    pass on first.
    """
    typed = typed_since(before, caret, now)
    if not typed or not is_hangul(typed[0]):
        return before
    at = _place(before, caret)
    return f"{before[:at]}{typed[0]}{before[at:]}"


def holds(draft: Draft) -> bool:
    """Say whether a draft holds anything that an agent would miss."""
    return bool(draft.text.strip() or draft.attachments)


def restore(draft: Draft, name: str, request: str) -> Writing:
    """Return the state that a kept draft describes."""
    pinned = None
    if draft.address is not None and draft.account:
        pinned = Route(draft.account, NO_MEDIUM, draft.address)
    return Writing(
        agent=draft.agent,
        customer=draft.customer,
        conversation=draft.conversation,
        name=name,
        request=draft.request or request,
        note=draft.note,
        subject=draft.subject,
        text=draft.text,
        caret=draft.caret,
        revision=draft.revision,
        kept_revision=draft.revision,
        kept_at=draft.at,
        pinned=pinned,
        begun=draft.begun or pinned,
        attachments=draft.attachments,
        instead_of=draft.instead_of,
        proactive=draft.proactive,
        purpose=draft.purpose,
        bridged=KEPT,
    )


def instead(found: Fallback, agent: AgentName, name: str, request: str) -> Writing:
    """Return the draft that a fallback proposes, on its route and with its fitted text."""
    lines = found.text.split("\n")
    return Writing(
        agent=agent,
        customer=found.customer,
        conversation=found.conversation,
        name=name,
        request=request,
        text=found.text,
        caret=(len(lines) - 1, len(lines[-1])),
        revision=1,
        pinned=found.ranked.route,
        begun=found.ranked.route,
        instead_of=found.reply,
        own_subject=found.subject,
        purpose=found.purpose,
        attachments=found.attachments,
        bridged=KEPT,
    )
