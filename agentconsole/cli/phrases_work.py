"""What the commands about work on conversations say, in English and Korean."""

from __future__ import annotations

from typing import Final

WORK: Final[dict[str, tuple[str, str]]] = {
    "snoozed_until": ("Snoozed until {at}; {id}", "{at}까지 미룸; {id}"),
    "tagged": ("Tags changed; {id}", "태그 바꿈; {id}"),
    "prioritised": ("Priority: {priority}; {id}", "우선순위 {priority}; {id}"),
    "put_aside": ("Kept out of the queue ({how}); {id}", "대기열에서 뺌({how}); {id}"),
    "not_aside": ("Back in the queue; {id}", "다시 대기열로; {id}"),
    "blocked": ("Blocked; {id}", "차단함; {id}"),
    "unblocked": ("No longer blocked; {id}", "차단 해제; {id}"),
    "task_added": ("To do until {at}; {task}; {id}", "{at}까지 할 일; {task}; {id}"),
    "task_done": ("Done; {id}", "끝냄; {id}"),
    "task_open": ("To be done again; {id}", "다시 할 일; {id}"),
    "task_line": ("{at}, {agent}: {text}; {name}; {task}; {id}", "{at}, {agent}: {text}; {name}; {task}; {id}"),
    "logged": ("Written down ({medium}); {id}", "기록함({medium}); {id}"),
    "split_off": ("A conversation of its own: {id}", "새 대화로 나눔: {id}"),
    "joined_to": ("One conversation: {id}", "한 대화로 합침: {id}"),
    "taken_back": ("Taken back; {id}", "되돌림; {id}"),
    "not_done": ("{id}: {message} {hint}", "{id}: {message} {hint}"),
    "view_line": ("{name}: {n}", "{name}: {n}"),
    "priority": ("priority {priority}", "우선순위 {priority}"),
    "late": ("late", "늦음"),
    "tags": ("tags {tags}", "태그 {tags}"),
    "snoozed": ("wakes {at}", "{at} 다시 나타남"),
    "task": ("to do {at}: {text}", "{at} 할 일: {text}"),
    "undone": ("{head} (taken back by {agent})", "{head} ({agent} 되돌림)"),
}
"""English and Korean."""
