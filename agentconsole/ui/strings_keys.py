"""What the console says of keys in English and Korean; see ``strings``."""

from __future__ import annotations

from typing import Final

EN: Final[dict[str, str]] = {
    "strip.pasted": "Pasted where nothing is typed: nothing was done. {k.reply} opens a reply.",
    "strip.nothing_to_repeat": "Nothing to repeat yet.",
    "prompt.command": ":",
    "command.none": "Nothing begins like this. enter does the line as it is.",
    "command.unknown": "There is no command {name}. Nothing was done.",
    "command.near": "Did you mean {name}?",
    "command.done": "Done.",
    "command.pane": "go to a pane",
    "command.view": "show a view",
    "command.theme": "colours",
    "command.notify": "of which messages notices tell",
    "action.command": "Command line",
    "action.repeat": "Do the last command again",
    "action.complete": "Complete",
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
    "strip.pasted": "글을 쓰는 곳이 아니어서 붙여넣지 않음. {k.reply} 답장",
    "strip.nothing_to_repeat": "반복할 것이 없음.",
    "prompt.command": ":",
    "command.none": "이렇게 시작하는 명령 없음. enter 그대로 실행",
    "command.unknown": "{name} 명령이 없음. 바뀐 것 없음.",
    "command.near": "혹시 {name}?",
    "command.done": "완료.",
    "command.pane": "칸으로 가기",
    "command.view": "보기 열기",
    "command.theme": "색상",
    "command.notify": "알림 범위",
    "action.command": "명령줄",
    "action.repeat": "마지막 명령 반복",
    "action.complete": "완성",
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
