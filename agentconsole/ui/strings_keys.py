"""What the console says of keys in English and Korean; see ``strings``."""

from __future__ import annotations

from typing import Final

EN: Final[dict[str, str]] = {
    # beside the second key of a chord, where the title of the action is long
    "hint.view.waiting": "waiting",
    "hint.view.mine": "mine",
    "hint.view.unassigned": "unassigned",
    "hint.view.open": "open",
    "hint.view.failed": "failed",
    "hint.view.resolved": "closed",
    "hint.uncertain": "may have gone out",
    "hint.outbox": "outbox",
    "hint.home": "top",
    "hint.fallback": "another way",
    "hint.check": "check",
    "hint.remember": "remember this channel",
}

KO: Final[dict[str, str]] = {
    "hint.view.waiting": "대기",
    "hint.view.mine": "내 담당",
    "hint.view.unassigned": "미배정",
    "hint.view.open": "진행 중",
    "hint.view.failed": "실패",
    "hint.view.resolved": "종료",
    "hint.uncertain": "나갔을 수 있음",
    "hint.outbox": "발송함",
    "hint.home": "맨 위",
    "hint.fallback": "다른 채널",
    "hint.check": "확인",
    "hint.remember": "이 채널 기억",
}
