"""``send`` and ``outbox``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from agentconsole.cli import views
from agentconsole.cli.composing import filled, values_of
from agentconsole.cli.context import Context
from agentconsole.cli.human import choice_lines
from agentconsole.cli.names import known_medium, text_of
from agentconsole.cli.parser import Command, key
from agentconsole.cli.wording import Wording
from agentconsole.cli.working import moment
from agentconsole.desk import Agent, Compose, Desk, Position, Sent
from agentconsole.desk.waiting import LONGEST_HOLD
from agentconsole.domain import numbers
from agentconsole.domain.guards import Warned
from agentconsole.domain.model import (
    Attachment,
    ConversationId,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
)
from agentconsole.domain.permission import VETOES
from agentconsole.errors import HubAbsent, Refused, UsageError
from agentconsole.files import outgoing

NEWS_PAUSE = 20.0
"""Seconds of one wait for news; then the reply is asked for again in any case."""

WAITED = {
    Delivery.SENT: 0,
    Delivery.DELIVERED: 0,
    Delivery.READ: 0,
    Delivery.FAILED: 1,
    Delivery.CANCELLED: 1,
    Delivery.QUEUED: 4,
    Delivery.SENDING: 4,
    Delivery.UNCERTAIN: 6,
}
"""Exit codes of ``send --wait``; a failure that a rule made is 3."""


_TO_DO = {
    Delivery.QUEUED: "do.queued",
    Delivery.SENDING: "do.queued",
    Delivery.UNCERTAIN: "do.uncertain",
    Delivery.FAILED: "do.failed",
}


def _fill_send(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("customer", metavar="CUSTOMER", help="an id, an address or a unique name")
    add("--text", metavar="TEXT", help="what to send; - reads stdin")
    add("--via", metavar="MEDIUM", default="", help="this medium instead of the chosen one: email, sms, whatsapp …")
    add("--subject", metavar="TEXT", default="", help="the subject, where the medium has one")
    add("--purpose", metavar="WORD", default="", help="what it is about, e.g. invoice: a wish may hold for that only")
    add("--conversation", metavar="ID", default="", help="the conversation, where there are several")
    add("--attach", metavar="FILE", action="append", default=[], help="a file (at most 25 MB); may be repeated")
    add("--template", metavar="NAME", default="", help="a template's text, in the customer's language")
    add("--var", metavar="NAME=TEXT", action="append", default=[], help="what a variable of the template becomes")
    add("--proactive", action="store_true", help="you begin, not answer: law, consent, hours, cap are asked")
    add("--when-allowed", action="store_true", help="hold a proactive message until it may leave, not refuse it")
    add("--at", metavar="WHEN", default="", help='not before that time, e.g. "tomorrow 9", "fri 14:30", "in 2 hours"')
    add(
        "--hold",
        metavar="SECONDS",
        type=_seconds,
        default=0.0,
        help="hold it so long (0 to 60) to stop it",
    )
    add("--wait", action="store_true", help="wait until it has left; the exit code says what became of it")
    add("--timeout", metavar="SECONDS", type=float, default=60.0, help="how long --wait waits (default: 60)")
    add("--strict", action="store_true", help="send nothing where there is something to warn of; exit code 3")
    add("--dry-run", action="store_true", help="say which channel and why, and send nothing")
    key(parser)


async def send(context: Context) -> int:
    args, out = context.args, context.out
    if args.when_allowed and not args.proactive:
        raise UsageError("--when-allowed is about proactive messages. Nothing was sent.", "Add --proactive.")
    if args.template and args.text is not None:
        raise UsageError("--text and --template both say what to send. Nothing was sent.", "Leave one out.")
    values = values_of(args.var)
    needed = not args.template and (args.text is not None or not args.dry_run)
    text = await context.text(args.text) if needed else ""
    sizes = [await asyncio.to_thread(_looked_at, Path(name)) for name in args.attach]
    words = context.words
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer)
        medium = await known_medium(desk, who, args.via) if args.via else Medium("")
        subject, purpose = args.subject, args.purpose
        if args.template:
            one = await filled(desk, who, args.template, customer, ConversationId(args.conversation), values)
            text, subject, purpose = one.text, subject or one.subject, purpose or one.purpose
        compose = Compose(
            customer=customer,
            text=text,
            conversation=ConversationId(args.conversation),
            medium=medium,
            subject=subject,
            purpose=purpose,
            proactive=args.proactive,
            when_allowed=args.when_allowed,
            not_before=await asyncio.to_thread(moment, context, [args.at]) if args.at else None,
            hold=args.hold,
        )
        if args.dry_run:
            return await _dry_run(context, desk, who, compose, sizes)
        warned = await _warn(context, desk, who, compose, sizes)
        if warned and args.strict:
            if out.json:
                out.object({"reply": None, "warnings": [views.warning(one, words) for one in warned]})
            out.talk(words.say("strict"))
            return 3
        stored = [await _attached(context, desk, who, customer, Path(name)) for name in args.attach]
        from msgspec.structs import replace

        sent = await desk.reply(who, context.request, replace(compose, attachments=tuple(stored)))
        explained = sent.choice
        if args.wait:
            sent = await _wait(context, desk, who, sent, args.timeout, words)
    if out.json:
        told = views.sent(sent, words, explained) | ({"earlier": True} if sent.earlier else {})
        out.object(told | {"warnings": [views.warning(one, words) for one in warned]})
    else:
        taken = next((ranked for ranked in explained.ranked if ranked.route == sent.route), explained.best)
        where, address = words.medium(sent.route.medium), text_of(sent.route.address)
        out.line(words.say("sent_to", state=words.state(sent.state), medium=where, address=address))
        if taken is not None:
            out.line(words.because(taken))
        if sent.reason:
            out.line(": ".join(part for part in (words.reason(sent.reason), sent.detail) if part))
        out.line(words.say("reply_id", id=sent.id))
        if sent.not_before is not None:
            out.talk(words.say("held_until", at=words.moment(sent.not_before), id=sent.id))
        if sent.earlier:
            out.talk(words.say("earlier"))
        if args.wait and (what := _TO_DO.get(sent.state)):
            out.talk(words.say(what, id=sent.id, account=sent.route.account, customer=customer))
    if sent.earlier:
        return 3
    return _exit_code(sent) if args.wait else 0


def _seconds(text: str) -> float:
    """Return the seconds of a hold."""
    seconds = float(text)
    if not 0 <= seconds <= LONGEST_HOLD:
        raise argparse.ArgumentTypeError(f"must be 0 to {LONGEST_HOLD:.0f}")
    return seconds


async def _warn(
    context: Context, desk: Desk, who: Agent, compose: Compose, files: Sequence[Attachment]
) -> tuple[Warned, ...]:
    """Return what there is to warn of, and tell it beside the answer."""
    if not compose.text.strip():
        return ()
    from msgspec.structs import replace

    # Files are deposited only for what is sent: here it counts that there are some.
    known = replace(compose, attachments=tuple(files))
    warned = await desk.warnings(who, known, None)
    for one in () if context.out.json else warned:
        context.out.talk(context.words.say("warning", why=context.words.guard(one)))
    return warned


async def _dry_run(context: Context, desk: Desk, who: Agent, compose: Compose, files: Sequence[Attachment]) -> int:
    words = context.words
    from msgspec.structs import replace

    compose = replace(compose, attachments=tuple(files))
    choice = await desk.choose(who, compose)
    leaves = await desk.preview(who, compose) if compose.text else ""
    warned = await _warn(context, desk, who, compose, files)
    about = (await desk.timeline(who, compose.customer, EntryId(""), 1)).about
    best = next((r for r in choice.ranked if not compose.medium or r.route.medium == compose.medium), None)
    if best is not None and best != choice.best:
        others = (ranked for ranked in choice.ranked if ranked != best)
        best = replace(best, rule="agent_choice")
        choice = replace(choice, ranked=(best, *others), proposal=None)
    out = context.out
    if out.json:
        out.object(
            {
                "reply": None,
                "text": leaves,
                "choice": views.ranked(best, words) if best is not None else None,
                "alternatives": [views.ranked(ranked, words) for ranked in choice.ranked if ranked != best],
                "refused": [views.refused(refused, words) for refused in choice.refused],
                "best_hour": views.about(about)["best_hour"],
                "warnings": [views.warning(one, words) for one in warned],
            }
        )
    else:
        if best is None and compose.medium:
            out.line(words.say("not_via", medium=words.medium(compose.medium)))
        for line in choice_lines(choice, words, taken=best is not None):
            out.line(line)
        for key_, text in words.about(about):
            if key_ == "best_hour":
                out.line(words.say("about.best_hour", what=text))
        if best is not None and leaves != compose.text:
            out.line(words.say("leaves_as"))
            out.block(leaves)
        out.talk(words.say("dry_run"))
    return 0 if best is not None and not (warned and context.args.strict) else 3


def _looked_at(path: Path) -> Attachment:
    """Return what a file is, before anything is sent or stored.

    Raises:
        UsageError: it cannot be attached.
    """
    try:
        file = outgoing.opened(path)
    except outgoing.Unusable as fault:
        raise _not_attached(fault) from fault
    file.close()
    return Attachment(file.name, file.type, file.size)


def _not_attached(fault: outgoing.Unusable) -> UsageError:
    hint = "Send a link instead." if fault.why == "too_large" else "Check the path."
    return UsageError(f"{outgoing.sentence(fault)} Nothing was sent.", hint)


async def _attached(context: Context, desk: Desk, who: Agent, customer: CustomerId, path: Path) -> Attachment:
    try:
        return await outgoing.send(desk, who, context.world.random.token(), customer, path)
    except outgoing.Unusable as fault:
        raise _not_attached(fault) from fault


async def _wait(context: Context, desk: Desk, who: Agent, sent: Sent, seconds: float, words: Wording) -> Sent:
    clock = context.world.clock
    end = clock.monotonic() + seconds
    position = Position()
    while sent.state in (Delivery.QUEUED, Delivery.SENDING) and (left := end - clock.monotonic()) > 0:
        with contextlib.suppress(TimeoutError, HubAbsent):
            # The hub's clock is not ours: what the agent asked for holds even where its wait is longer.
            async with asyncio.timeout(min(left, NEWS_PAUSE)):
                position = (await desk.news(who, position, min(left, NEWS_PAUSE))).position
        try:
            sent = await desk.sent(who, sent.id)
        except HubAbsent:
            context.out.talk(words.say("hub_gone"))
            break
    return sent


def _exit_code(sent: Sent) -> int:
    if sent.state == Delivery.FAILED and sent.reason in VETOES:
        return 3
    return WAITED[sent.state]


# -- outbox -------------------------------------------------------------------------------------------------

_LISTED = (Delivery.QUEUED, Delivery.SENDING, Delivery.UNCERTAIN, Delivery.FAILED)


def _fill_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state", choices=[str(state) for state in _LISTED], action="append", help="only these; may be repeated"
    )


async def outbox_list(context: Context) -> int:
    states = [Delivery(state) for state in context.args.state or _LISTED]
    async with context.desk() as (desk, who):
        lines = await desk.outbox(who, states)
    out = context.out
    if out.json:
        out.object({"replies": [views.outbox_line(line) for line in lines]})
        return 0
    words = context.words
    for line in lines:
        record = line.record
        out.line(
            words.say(
                "outbox_line",
                state=words.state(record.state),
                name=line.name or line.customer,
                medium=words.medium(record.medium),
                address=text_of(record.address),
                agent=record.agent,
                at=words.moment(record.queued_at),
                id=record.reply,
            )
        )
        if why := words.delivery(record):
            out.line(f"  {why}")
        out.block(line.text)
    if not lines:
        out.line(words.say("outbox_empty"))
    return 0


def _fill_reply(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reply", metavar="REPLY", help="the id that send and outbox list print")
    key(parser)


def _on_reply(call: Callable[[Desk, Agent, str, EntryId], Awaitable[Sent]]) -> Command:
    async def run(context: Context) -> int:
        async with context.desk() as (desk, who):
            sent = await call(desk, who, context.request, EntryId(context.args.reply))
        words = context.words
        told = [words.say("reply_state", state=words.state(sent.state), id=sent.id, why=words.reason(sent.reason))]
        if sent.state == Delivery.UNCERTAIN and sent.asked:
            told.append(words.say("asked_cannot") if sent.asked == "cannot" else words.say("asked_nothing"))
        context.out.result(views.sent(sent, words), *(line.rstrip() for line in told))
        return 6 if sent.state == Delivery.UNCERTAIN else 0

    return Command(run, _fill_reply)


def _fill_move(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reply", metavar="REPLY", help="the waiting reply's id")
    parser.add_argument("--at", metavar="WHEN", required=True, help='e.g. "tomorrow 9", "fri 14:30", "in 2 hours"')
    key(parser)


async def outbox_move(context: Context) -> int:
    args, words = context.args, context.words
    at = await asyncio.to_thread(moment, context, [args.at])
    async with context.desk() as (desk, who):
        sent = await desk.send_at(who, context.request, EntryId(args.reply), at)
    told = words.say("held_until", at=words.moment(sent.not_before or at), id=sent.id)
    context.out.result(views.sent(sent, words), told)
    return 0


def _fill_fallback(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reply", metavar="REPLY", help="the failed reply's id")
    parser.add_argument("--send", action="store_true", help="send it; without, only say how")
    key(parser)


async def outbox_fallback(context: Context) -> int:
    args, out, words = context.args, context.out, context.words
    async with context.desk() as (desk, who):
        found = await desk.fallback(who, EntryId(args.reply))
        if found is None:
            raise Refused(words.words.say("instead.no_other"), f"See: agentconsole outbox check {args.reply}")
        sent = await desk.reply(who, context.request, found.compose) if args.send else None
    route = found.ranked.route
    if sent is not None:
        told = words.say(
            "sent_to", state=words.state(sent.state), medium=words.medium(route.medium), address=text_of(route.address)
        )
        lines = (words.fallback(found), told, words.say("reply_id", id=sent.id))
        out.result(views.fallback(found, words) | {"sent": views.sent(sent, words)["reply"]}, *lines)
        return 0
    if out.json:
        out.object(views.fallback(found, words) | {"sent": None})
        return 0
    out.line(words.say("fallback", what=words.fallback(found), address=text_of(route.address), account=route.account))
    out.line(words.because(found.ranked))
    if found.subject:
        out.line(words.say("fallback_subject", subject=found.subject))
    out.block(numbers.masked(found.text))
    out.talk(words.say("fallback_send"))
    return 0


COMMANDS = {
    "send": Command(send, _fill_send),
    "outbox": Command(
        None,
        actions={
            "list": ("replies that have not arrived", Command(outbox_list, _fill_list)),
            "check": (
                "look for proof that an uncertain reply arrived",
                _on_reply(lambda desk, who, request, reply: desk.outbox_check(who, request, reply)),
            ),
            "resend": (
                "send a failed or uncertain reply again",
                _on_reply(lambda desk, who, request, reply: desk.resend(who, request, reply)),
            ),
            "fallback": (
                "another way for a reply that provably did not arrive",
                Command(outbox_fallback, _fill_fallback),
            ),
            "now": (
                "let a reply that waits leave at once",
                _on_reply(lambda desk, who, request, reply: desk.send_at(who, request, reply, None)),
            ),
            "move": ("let a reply that waits leave at another time", Command(outbox_move, _fill_move)),
            "mark-sent": (
                "an uncertain reply did arrive",
                _on_reply(lambda desk, who, request, reply: desk.mark_sent(who, request, reply)),
            ),
            "cancel": (
                "take back a queued reply, or give up a failed or uncertain one",
                _on_reply(lambda desk, who, request, reply: desk.cancel(who, request, reply)),
            ),
        },
    ),
}
