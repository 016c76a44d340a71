"""Leads a newcomer through six steps. It advances only on what really happened, as the console tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentconsole.ui.keymap import Keymap


@dataclass(frozen=True)
class Stage:
    """One thing to do.

    Args:
        step: the number that is shown.
        on: which event leads to which stage, where ``when`` holds.
    """

    step: int
    en: str
    ko: str
    on: Mapping[str, int] = field(default_factory=dict)
    when: Callable[[Mapping[str, str]], bool] = lambda _facts: True


def _emily(facts: Mapping[str, str]) -> bool:
    return "Emily" in facts.get("name", "Emily")


STEPS: Final = 6
STAGES: Final = (
    Stage(
        1,
        "Two of these are the same person. Press {k.open} on Emily.",
        "이 중 둘은 같은 사람입니다. Emily에서 {k.open} 키를 누르세요.",
        {"opened": 1, "linked": 2},
        _emily,
    ),
    Stage(
        1,
        "The number in this e-mail wrote on WhatsApp. {k.link} links the two.",
        "메일에 적힌 번호로 왓츠앱도 왔습니다. {k.link} 키로 연결하세요.",
        {"linked": 2},
    ),
    Stage(
        2,
        "One person, one timeline. Press {k.undo}: the link is undone exactly.",
        "한 사람, 한 타임라인입니다. {k.undo} 키를 누르면 연결이 그대로 취소됩니다.",
        {"unlinked": 3},
    ),
    Stage(
        2, "Nothing is lost. Press {k.link} again.", "잃은 것이 없습니다. {k.link} 키를 다시 누르세요.", {"linked": 4}
    ),
    Stage(
        3,
        "Press {k.reply}: the reply goes where Emily is now, and says why. Ask for the ID: what is your ID?",
        "{k.reply}: Emily가 지금 있는 곳으로 답하고 이유를 보여 줍니다. 물어보세요: what is your ID?",
        {"known_seen": 5, "sent": 6},
    ),
    Stage(
        3,
        "Emily told it already: nobody asks twice. {kt.put_known} puts it in, {kt.send} sends.",
        "이미 알려 준 정보입니다. 두 번 묻지 않습니다. {kt.put_known} 넣기, {kt.send} 발송.",
        {"sent": 6},
    ),
    Stage(
        3,
        "Sent, delivered, read; then the answer. {k.back}, then {k.close} closes.",
        "발송, 도착, 읽음, 그리고 곧 답이 옵니다. {k.back}, 그다음 {k.close}: 종료.",
        {"closed": 7},
    ),
    Stage(
        4,
        "Open 박민수 ({k.back}, arrows, {k.open}), press {k.reply}, then {kt.next_route}: SMS is refused before "
        "typing, with the reason.",
        "박민수 님을 여세요 ({k.back}, 화살표, {k.open}). {k.reply}, {kt.next_route}: "
        "쓰기 전에 거부된 문자와 이유가 나옵니다.",
        {"refused_seen": 8},
    ),
    Stage(
        5,
        "Type half a sentence and close this window. In a new one: {console}",
        "문장을 반쯤 쓰고 이 창을 닫으세요. 새 창에서: {console}",
        {"draft_restored": 9},
    ),
    Stage(
        6,
        "Back, nothing was sent. {k.back}, then {k.quit}: the same by commands.",
        "쓰던 글이 그대로입니다. {k.back}, 그다음 {k.quit}: 같은 일을 명령으로 봅니다.",
    ),
)


class Coach:
    """Where a newcomer is.

    Args:
        at: the stage to go on with.
        names: what stands for ``{console}``.
        keymap: the keys that hold, for ``{k.reply}`` where is read and ``{kt.send}`` where is typed.
        keep: called with the new stage after every advance.
    """

    def __init__(
        self,
        at: int = 0,
        names: Mapping[str, str] | None = None,
        keep: Callable[[int], Any] | None = None,
        keymap: Keymap | None = None,
    ) -> None:
        self.at = at if 0 <= at < len(STAGES) else 0
        keys = keymap or Keymap()
        self._names: dict[str, Any] = {"console": "agentconsole", **(names or {}), "k": keys.reading, "kt": keys.typing}
        self._keep = keep

    @property
    def step(self) -> int:
        return STAGES[self.at].step

    def text(self, language: str) -> str:
        """Return what to do next, in ``en`` or ``ko``."""
        stage = STAGES[self.at]
        if language == "ko":
            return f"{STEPS}단계 중 {stage.step}  {stage.ko.format(**self._names)}"
        return f"Step {stage.step} of {STEPS}  {stage.en.format(**self._names)}"

    def note(self, event: str, **facts: str) -> None:
        """Hear of an event; what does not belong to this stage changes nothing."""
        stage = STAGES[self.at]
        if event in stage.on and stage.when(facts):
            self.at = stage.on[event]
            if self._keep is not None:
                self._keep(self.at)
