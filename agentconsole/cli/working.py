"""Work on a conversation, or on a customer with one: notes, assignment, status, tags, tasks, and taking it back."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from agentconsole.cli import views
from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command, key
from agentconsole.desk import (
    Act,
    AddTask,
    Agent,
    Assign,
    Block,
    Desk,
    Done,
    FinishTask,
    Join,
    LogContact,
    Prioritise,
    PutAside,
    SetStatus,
    Split,
    Tag,
    Target,
    WriteNote,
)
from agentconsole.domain import when
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    EntryId,
    Medium,
    Priority,
)
from agentconsole.domain.work import MANUAL
from agentconsole.errors import NotFound, UsageError, from_code

SAYS = "WHEN"
_WHEN_HELP = 'e.g. "tomorrow 9", "mon 14:00", "in 2 h", "금요일 오전"'


def fill_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="CONVERSATION|CUSTOMER", help="a conversation's id, or a customer")
    parser.add_argument(
        "--also", metavar="CONVERSATION|CUSTOMER", action="append", default=[], help="do the same to this one too"
    )
    key(parser)


def moment(context: Context, words: Sequence[str]) -> datetime:
    """Return the time to come that words mean, in the profile's time zone.

    Raises:
        UsageError: they mean none.
    """
    text = " ".join(words)
    found = when.later(text, context.world.clock.now(), context.words.words.zone)
    if found is None:
        raise UsageError(f"{text or 'Nothing'} is no time to come. Nothing was changed.", f"Say {_WHEN_HELP}.")
    return found


async def _closed_too(desk: Desk, who: Agent, words: str) -> tuple[CustomerId, ConversationId]:
    """Return the conversation named, or the one of a customer that was closed last."""
    try:
        customer = await desk.find(who, words)
    except NotFound:
        return await desk.find_conversation(who, words)
    page = await desk.timeline(who, customer, EntryId(""), 1)
    closed = [c for c in page.customer.conversations if c.status == ConversationStatus.RESOLVED]
    if not closed:
        raise NotFound("This customer has no closed conversation. Nothing was changed.", "It may be open.")
    return customer, max(closed, key=lambda c: c.last_at).id


async def _targets(context: Context, desk: Desk, who: Agent, *, closed: bool = False) -> list[Target]:
    find = _closed_too if closed else _named
    return [Target(*(await find(desk, who, words))) for words in (context.args.target, *context.args.also)]


async def _named(desk: Desk, who: Agent, words: str) -> tuple[CustomerId, ConversationId]:
    return await desk.find_conversation(who, words)


async def do(
    context: Context,
    act: Act,
    said: Callable[[Done], str],
    more: Callable[[Done], dict[str, Any]] | None = None,
    *,
    closed: bool = False,
) -> int:
    """Do an act to all targets that the command line names, and tell of each what became of it."""
    async with context.desk() as (desk, who):
        targets = await _targets(context, desk, who, closed=closed)
        done = await desk.work(who, context.request, targets, act)
    return tell(context, done, said, more)


def tell(
    context: Context,
    done: Sequence[Done],
    said: Callable[[Done], str],
    more: Callable[[Done], dict[str, Any]] | None = None,
) -> int:
    """Print what became of each target; the exit code is that of the first failure.

    Raises:
        AgentConsoleError: there was one target only, and it failed.
    """
    failed = [from_code(one.code, one.message, one.hint) for one in done if one.code]
    if len(done) == 1 and failed:
        raise failed[0]
    out = context.out
    if out.json:
        first = views.done(done[0]) | (more(done[0]) if more is not None else {}) if len(done) == 1 else {}
        out.object(first | {"done": [views.done(one) for one in done]})
    else:
        for one in done:
            if one.code:
                where = one.conversation or one.target.conversation or one.target.customer
                out.line(context.words.say("not_done", id=where, message=one.message, hint=one.hint))
            else:
                out.line(said(one))
    return failed[0].exit_code if failed else 0


def _say(context: Context, key_: str, **values: object) -> Callable[[Done], str]:
    return lambda done: context.words.say(key_, id=done.conversation, **values)


def _fill_note(parser: argparse.ArgumentParser) -> None:
    fill_target(parser)
    parser.add_argument("--text", metavar="TEXT", help="the note, @NAME calls an agent; - reads stdin")


async def note(context: Context) -> int:
    text = await context.text(context.args.text, "note")
    return await do(
        context,
        WriteNote(text),
        lambda done: context.words.say("noted", id=done.entries[0]),
        lambda done: {"note": done.entries[0]},
    )


def _fill_assign(parser: argparse.ArgumentParser) -> None:
    fill_target(parser)
    parser.add_argument("agent", metavar="AGENT", nargs="?", default="", help="who gets it")
    parser.add_argument("--me", action="store_true", help="take it yourself")
    parser.add_argument("--nobody", action="store_true", help="take it from whoever has it")
    parser.add_argument("--text", metavar="TEXT", default="", help="a note for them")


async def assign(context: Context) -> int:
    args = context.args
    if sum((bool(args.agent), args.me, args.nobody)) != 1:
        raise UsageError("It is not clear who gets it. Nothing was changed.", "Give one of: AGENT, --me, --nobody.")
    text = await context.text(args.text) if args.text else ""
    async with context.desk() as (desk, who):
        assignee = who.name if args.me else AgentName(args.agent)
        targets = await _targets(context, desk, who)
        done = await desk.work(who, context.request, targets, Assign(assignee, text))
    said = _say(context, "assigned_to" if assignee else "assigned_nobody", agent=assignee)
    return tell(context, done, said, lambda _: {"assignee": assignee or None})


async def close(context: Context) -> int:
    return await do(
        context, SetStatus(ConversationStatus.RESOLVED), _say(context, "closed"), lambda _: {"status": "resolved"}
    )


async def reopen(context: Context) -> int:
    return await do(
        context,
        SetStatus(ConversationStatus.OPEN),
        _say(context, "reopened"),
        lambda _: {"status": "open"},
        closed=True,
    )


def _fill_snooze(parser: argparse.ArgumentParser) -> None:
    fill_target(parser)
    parser.add_argument("until", metavar=SAYS, nargs="+", help=f"until when: {_WHEN_HELP}")


async def snooze(context: Context) -> int:
    until = moment(context, context.args.until)
    return await do(
        context,
        SetStatus(ConversationStatus.SNOOZED, until),
        _say(context, "snoozed_until", at=context.words.moment(until)),
        lambda _: {"status": "snoozed", "until": views.moment(until)},
    )


def _fill_tag(parser: argparse.ArgumentParser) -> None:
    fill_target(parser)
    parser.add_argument("tags", metavar="TAG", nargs="*", help="tags to add")
    parser.add_argument("--remove", metavar="TAG", action="append", default=[], help="a tag to take off")


async def tag(context: Context) -> int:
    add = tuple(tag.removeprefix("+") for tag in context.args.tags)
    return await do(context, Tag(add, tuple(context.args.remove)), _say(context, "tagged"))


def _fill_priority(parser: argparse.ArgumentParser) -> None:
    fill_target(parser)
    parser.add_argument("priority", choices=[one.value for one in Priority], help="how urgent it is")


async def priority(context: Context) -> int:
    wanted = Priority(context.args.priority)
    said = _say(context, "prioritised", priority=context.words.priority(wanted))
    return await do(context, Prioritise(wanted), said, lambda _: {"priority": wanted})


def _fill_aside(parser: argparse.ArgumentParser) -> None:
    fill_target(parser)
    parser.add_argument("--off", action="store_true", help="take it back into the queue")


def _aside(how: str) -> Callable[[Context], Any]:
    async def run(context: Context) -> int:
        if context.args.off:
            return await do(context, PutAside(""), _say(context, "not_aside"), lambda _: {"aside": None})
        said = _say(context, "put_aside", how=context.words.aside(how))
        return await do(context, PutAside(how), said, lambda _: {"aside": how})

    return run


def _fill_log(parser: argparse.ArgumentParser) -> None:
    fill_target(parser)
    parser.add_argument("medium", choices=MANUAL, help="a call, a visit or a letter")
    parser.add_argument("--in", dest="inbound", action="store_true", help="the customer called, came or wrote")
    parser.add_argument("--minutes", type=int, default=0, metavar="N", help="how long it took")
    parser.add_argument("--text", metavar="TEXT", default="", help="what came of it; - reads stdin")
    parser.add_argument("--answered", action="store_true", help="the customer waits no more")


async def log(context: Context) -> int:
    args = context.args
    text = await context.text(args.text) if args.text else ""
    act = LogContact(Medium(args.medium), args.inbound, args.minutes, text, args.answered)
    return await do(context, act, _say(context, "logged", medium=context.words.medium(act.medium)))


def _fill_split(parser: argparse.ArgumentParser) -> None:
    fill_target(parser)
    parser.add_argument("--from", dest="first", metavar="ENTRY", required=True, help="from this entry on")


async def split(context: Context) -> int:
    return await do(context, Split(EntryId(context.args.first)), _say(context, "split_off"))


def _fill_join(parser: argparse.ArgumentParser) -> None:
    fill_target(parser)
    parser.add_argument("into", metavar="CONVERSATION", help="the conversation that it becomes part of")


async def join(context: Context) -> int:
    return await do(context, Join(ConversationId(context.args.into)), _say(context, "joined_to"))


# -- tasks -------------------------------------------------------------------------------------------------


def _fill_task_add(parser: argparse.ArgumentParser) -> None:
    fill_target(parser)
    parser.add_argument("--text", metavar="TEXT", required=True, help="what is to be done")
    parser.add_argument("--due", metavar=SAYS, required=True, help=f"until when: {_WHEN_HELP}")
    parser.add_argument("--owner", metavar="AGENT", default="", help="who does it (default: you)")


async def task_add(context: Context) -> int:
    args = context.args
    due = moment(context, [args.due])
    at = context.words.moment(due)
    return await do(
        context,
        AddTask(await context.text(args.text), due, AgentName(args.owner)),
        lambda done: context.words.say("task_added", at=at, task=done.entries[0], id=done.conversation),
        lambda done: {"task": done.entries[0], "due": views.moment(due)},
    )


def _fill_task_done(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", help="its id, from task list")
    key(parser)


def _finish(*, done: bool) -> Callable[[Context], Any]:
    async def run(context: Context) -> int:
        task = EntryId(context.args.task)
        async with context.desk() as (desk, who):
            became = await desk.work(who, context.request, [Target(CustomerId(""))], FinishTask(task, done))
        said = context.words.say("task_done" if done else "task_open", id=task)
        return tell(context, became, lambda _: said, lambda _: {"task": task})

    return run


async def task_list(context: Context) -> int:
    """Every conversation with its next task, what is due first."""
    async with context.desk() as (desk, who):
        page = await desk.queue(who, "tasks", 0, 500)
    if context.out.json:
        context.out.object(views.inbox(page))
        return 0
    for row in page.lines:
        if row.task is not None:
            context.out.line(
                context.words.say(
                    "task_line",
                    at=context.words.moment(row.task.due),
                    agent=row.task.owner,
                    text=row.task.text,
                    name=row.name,
                    task=row.task.id,
                    id=row.conversation,
                )
            )
    if not page.lines:
        context.out.line(context.words.say("empty_view", view="tasks"))
    return 0


# -- addresses, and taking it back -------------------------------------------------------------------------


def _fill_block(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")
    parser.add_argument("address", metavar="ADDRESS", nargs="?", default="", help="which (default: who wrote last)")
    key(parser)


def _block(*, blocked: bool) -> Callable[[Context], Any]:
    async def run(context: Context) -> int:
        async with context.desk() as (desk, who):
            customer = await desk.find(who, context.args.customer)
            done = await desk.work(who, context.request, [Target(customer)], Block(context.args.address, blocked))
        said = context.words.say("blocked" if blocked else "unblocked", id=customer)
        return tell(context, done, lambda _: said, lambda _: {"blocked": blocked})

    return run


CUSTOMER_ACTIONS = {
    "block": (
        "record what an address writes, show it to nobody, send nothing",
        Command(_block(blocked=True), _fill_block),
    ),
    "unblock": ("show it again, and send again", Command(_block(blocked=False), _fill_block)),
}


def _fill_undo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("entries", metavar="ENTRY", nargs="*", help="what to take back (default: your newest)")
    key(parser)


async def undo(context: Context) -> int:
    async with context.desk() as (desk, who):
        done = await desk.undo(who, context.request, [EntryId(entry) for entry in context.args.entries])
    return tell(context, done, lambda one: context.words.say("taken_back", id=" ".join(one.entries)))


COMMANDS = {
    "note": Command(note, _fill_note),
    "assign": Command(assign, _fill_assign),
    "close": Command(close, fill_target),
    "reopen": Command(reopen, fill_target),
    "snooze": Command(snooze, _fill_snooze),
    "tag": Command(tag, _fill_tag),
    "priority": Command(priority, _fill_priority),
    "spam": Command(_aside("spam"), _fill_aside),
    "mute": Command(_aside("muted"), _fill_aside),
    "log": Command(log, _fill_log),
    "split": Command(split, _fill_split),
    "join": Command(join, _fill_join),
    "undo": Command(undo, _fill_undo),
    "task": Command(
        None,
        actions={
            "add": ("something to be done until a moment", Command(task_add, _fill_task_add)),
            "done": ("it is done", Command(_finish(done=True), _fill_task_done)),
            "open": ("it is to be done again", Command(_finish(done=False), _fill_task_done)),
            "list": ("what is to be done, what is due first", Command(task_list)),
        },
    ),
}
