"""``note``, ``assign``, ``close``, ``reopen``: work on a conversation, or on a customer with one."""

from __future__ import annotations

import argparse

from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command, key
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    EntryId,
)
from agentconsole.errors import NotFound, UsageError


def _fill_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="CONVERSATION|CUSTOMER", help="a conversation's id, or a customer")
    key(parser)


def _fill_note(parser: argparse.ArgumentParser) -> None:
    _fill_target(parser)
    parser.add_argument("--text", metavar="TEXT", help="the note; - reads stdin")


async def note(context: Context) -> int:
    text = await context.text(context.args.text, "note")
    async with context.desk() as (desk, who):
        customer, conversation = await desk.find_conversation(who, context.args.target)
        entry = await desk.note(who, context.request, customer, conversation, text)
    context.out.result(_fields(customer, conversation) | {"note": entry}, context.words.say("noted", id=entry))
    return 0


def _fill_assign(parser: argparse.ArgumentParser) -> None:
    _fill_target(parser)
    parser.add_argument("agent", metavar="AGENT", nargs="?", default="", help="who gets it")
    parser.add_argument("--me", action="store_true", help="take it yourself")
    parser.add_argument("--nobody", action="store_true", help="take it from whoever has it")


async def assign(context: Context) -> int:
    args = context.args
    if sum((bool(args.agent), args.me, args.nobody)) != 1:
        raise UsageError("It is not clear who gets it. Nothing was changed.", "Give one of: AGENT, --me, --nobody.")
    async with context.desk() as (desk, who):
        customer, conversation = await desk.find_conversation(who, args.target)
        assignee = who.name if args.me else AgentName(args.agent)
        await desk.assign(who, context.request, customer, conversation, assignee)
    told = context.words.say("assigned_to" if assignee else "assigned_nobody", agent=assignee, id=conversation)
    context.out.result(_fields(customer, conversation) | {"assignee": assignee or None}, told)
    return 0


async def close(context: Context) -> int:
    async with context.desk() as (desk, who):
        customer, conversation = await desk.find_conversation(who, context.args.target)
        await desk.set_status(who, context.request, customer, conversation, ConversationStatus.RESOLVED, None)
    context.out.result(
        _fields(customer, conversation) | {"status": "resolved"}, context.words.say("closed", id=conversation)
    )
    return 0


async def reopen(context: Context) -> int:
    """Reopen the conversation named, or the one of a customer that was closed last."""
    async with context.desk() as (desk, who):
        try:
            customer = await desk.find(who, context.args.target)
        except NotFound:
            customer, conversation = await desk.find_conversation(who, context.args.target)
        else:
            page = await desk.timeline(who, customer, EntryId(""), 1)
            closed = [c for c in page.customer.conversations if c.status == ConversationStatus.RESOLVED]
            if not closed:
                raise NotFound("This customer has no closed conversation. Nothing was changed.", "It may be open.")
            conversation = max(closed, key=lambda c: c.last_at).id
        await desk.set_status(who, context.request, customer, conversation, ConversationStatus.OPEN, None)
    context.out.result(
        _fields(customer, conversation) | {"status": "open"}, context.words.say("reopened", id=conversation)
    )
    return 0


def _fields(customer: CustomerId, conversation: ConversationId) -> dict[str, object]:
    return {"customer": customer, "conversation": conversation}


COMMANDS = {
    "note": Command(note, _fill_note),
    "assign": Command(assign, _fill_assign),
    "close": Command(close, _fill_target),
    "reopen": Command(reopen, _fill_target),
}
