"""Words of what agents do to conversations: for the timeline, the queue and the commands."""

from __future__ import annotations

from typing import Final

WORK: Final[dict[str, tuple[str, str]]] = {
    "medium.post": ("post", "우편"),
    "priority.low": ("low", "낮음"),
    "priority.normal": ("normal", "보통"),
    "priority.high": ("high", "높음"),
    "priority.urgent": ("urgent", "긴급"),
    "aside.spam": ("spam", "스팸"),
    "aside.muted": ("muted", "알림 끔"),
    "aside.blocked": ("sender blocked", "차단한 발신자"),
    "event.snoozed": ("snoozed until {at}", "{at}까지 미룸"),
    "event.woken": ("back in the queue", "다시 대기열로"),
    "event.priority": ("priority: {priority}", "우선순위: {priority}"),
    "event.spam": ("marked as spam by {agent}", "스팸 표시({agent})"),
    "event.muted": ("muted by {agent}", "알림 끔({agent})"),
    "event.not_aside": ("back in the queue, by {agent}", "다시 대기열로({agent})"),
    "event.blocked": ("{address} blocked by {agent}", "{address} 차단({agent})"),
    "event.unblocked": ("{address} no longer blocked, by {agent}", "{address} 차단 해제({agent})"),
    "event.task": ("to do for {agent}, {at}: {text}", "할 일({agent}, {at}): {text}"),
    "event.task_due": ("a task is due", "할 일 기한 도래"),
    "event.task_done": ("a task is done, said {agent}", "할 일 끝({agent})"),
    "event.task_open": ("a task is to be done again, said {agent}", "할 일 다시 열기({agent})"),
    "event.manual_in": (
        "{medium} from the customer, {agent}{minutes}: {text}",
        "{medium} 받음, {agent}{minutes}: {text}",
    ),
    "event.manual_out": ("{medium} to the customer, {agent}{minutes}: {text}", "{medium} 함, {agent}{minutes}: {text}"),
    "event.minutes": (", {n} min", ", {n}분"),
    "event.split_off": (
        "{n} entries split off by {agent}",
        "글 {n}개를 새 대화로 나눔({agent})",
    ),
    "event.joined_to": ("joined with another conversation by {agent}", "다른 대화와 합침({agent})"),
    "event.undone": ("taken back by {agent}", "되돌림({agent})"),
}
"""English and Korean."""
