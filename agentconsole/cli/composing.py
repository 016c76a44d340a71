"""``template`` and ``attachment``: texts that are sent often, and the files of messages."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command
from agentconsole.desk import Agent, Desk
from agentconsole.domain.entries import Received, Reply
from agentconsole.domain.model import Attachment, ConversationId, CustomerId, EntryId
from agentconsole.domain.templates import Filled
from agentconsole.errors import NotFound, UsageError
from agentconsole.files import incoming, looking, names
from agentconsole.files.outgoing import Unusable, sentence

NOBODY = CustomerId("")
ENTRIES = 500
"""Newest entries of a customer among which files are looked for."""


# -- templates ----------------------------------------------------------------------------------------------


def values_of(given: Sequence[str]) -> dict[str, str]:
    """Return what ``--var NAME=TEXT`` says.

    Raises:
        UsageError: one has no ``=``.
    """
    found = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--var {one} names no variable. Nothing was done.", "Write --var reason=snow.")
        found[name.strip()] = text
    return found


async def filled(
    desk: Desk, who: Agent, name: str, customer: CustomerId, conversation: ConversationId, values: dict[str, str]
) -> Filled:
    """Return one template for a customer.

    Raises:
        NotFound: there is none of this name.
    """
    import difflib

    known = await desk.templates(who, customer, conversation, values)
    for one in known:
        if one.name == name or name in one.words:
            return one
    near = difflib.get_close_matches(name, [one.name for one in known], n=1, cutoff=0.5)
    raise NotFound(
        f"There is no template {name}. Nothing was done.",
        f"Did you mean {near[0]}? See: agentconsole template list" if near else "See: agentconsole template list",
    )


def _fields(one: Filled) -> dict[str, object]:
    return {
        "name": one.name,
        "language": one.language,
        "languages": list(one.languages),
        "subject": one.subject or None,
        "text": one.text,
        "unfilled": list(one.unfilled),
        "media": list(one.media),
        "purpose": one.purpose or None,
        "words": list(one.words),
    }


def _fill_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--for", dest="customer", metavar="CUSTOMER", default="", help="filled in for a customer")


async def template_list(context: Context) -> int:
    out, words = context.out, context.words
    async with context.desk() as (desk, who):
        customer = await desk.find(who, context.args.customer) if context.args.customer else NOBODY
        found = await desk.templates(who, customer, ConversationId(""), {})
    if out.json:
        out.object({"templates": [_fields(one) for one in found]})
        return 0
    for one in found:
        first = next(iter(one.text.splitlines()), "")
        text = one.subject or first
        out.line(words.say("template_line", name=one.name, languages=" ".join(one.languages), text=text))
    if not found:
        out.line(words.say("templates_none"))
    return 0


def _fill_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("template", metavar="NAME", help="a template's name, or one of its short words")
    parser.add_argument("--for", dest="customer", metavar="CUSTOMER", default="", help="filled in for a customer")
    parser.add_argument("--var", metavar="NAME=TEXT", action="append", default=[], help="what a variable becomes")


async def template_show(context: Context) -> int:
    args, out, words = context.args, context.out, context.words
    values = values_of(args.var)
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer) if args.customer else NOBODY
        one = await filled(desk, who, args.template, customer, ConversationId(""), values)
    if out.json:
        out.object(_fields(one))
        return 0
    if one.subject:
        out.line(words.say("template_subject", subject=one.subject))
    out.block(one.text)
    if one.words:
        out.line(words.say("template_words", words=", ".join(one.words)))
    if one.media:
        out.line(words.say("template_media", media=", ".join(words.medium(medium) for medium in one.media)))
    if one.purpose:
        out.line(words.say("template_purpose", purpose=one.purpose))
    if one.unfilled and args.customer:
        out.talk(words.say("template_unfilled", names=", ".join(one.unfilled)))
    return 0


def template_check(context: Context) -> int:
    """Read the configuration's templates without a hub: mistakes are errors, languages that are missing are told."""
    from agentconsole.config import templates

    out, words = context.out, context.words
    found = templates.of(context.profile)
    languages = sorted({language for one in found for language in one.texts})
    lines = []
    for one in found:
        lines += [("template_missing", one.name, language) for language in languages if language not in one.texts]
        if one.subjects:
            lines += [
                ("template_subject_missing", one.name, language)
                for language in one.texts
                if language not in one.subjects
            ]
    out.result(
        {
            "templates": len(found),
            "missing": [{"what": key, "name": name, "language": language} for key, name, language in lines],
        },
        *(words.say(key, name=name, language=language) for key, name, language in lines),
        *(() if lines else (words.say("templates_right", n=len(found)),)),
    )
    return 0


# -- attachments --------------------------------------------------------------------------------------------


def _fill_attachment_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")


async def attachment_list(context: Context) -> int:
    out, words = context.out, context.words
    async with context.desk() as (desk, who):
        customer = await desk.find(who, context.args.customer)
        messages = await _messages(desk, who, customer)
    if out.json:
        out.object(
            {
                "messages": [
                    {
                        "entry": message.id,
                        "at": message.at.isoformat(),
                        "direction": "in" if isinstance(message, Received) else "out",
                        "attachments": [
                            {
                                "number": number,
                                "name": one.name,
                                "type": one.type,
                                "size": one.size,
                                "kept": bool(one.blob),
                            }
                            for number, one in enumerate(message.attachments, 1)
                        ],
                    }
                    for message in messages
                ]
            }
        )
        return 0
    for message in messages:
        sender = message.agent if isinstance(message, Reply) else words.medium(message.medium)
        out.line(words.say("attachment_of", at=words.moment(message.at), who=sender, id=message.id))
        for number, one in enumerate(message.attachments, 1):
            key = "attachment_line" if one.blob else "attachment_not_kept"
            out.line("  " + words.say(key, number=number, name=one.name, type=one.type, size=names.size(one.size)))
    if not messages:
        out.line(words.say("attachments_none"))
    return 0


async def _messages(desk: Desk, who: Agent, customer: CustomerId) -> list[Received | Reply]:
    """Return the newest messages with files, oldest first."""
    found: list[Received | Reply] = []
    before, seen = EntryId(""), 0
    while seen < ENTRIES:
        page = await desk.timeline(who, customer, before, 100)
        found = [e for e in page.entries if isinstance(e, Received | Reply) and e.attachments] + found
        seen += len(page.entries)
        if not page.more or not page.entries:
            break
        before = page.entries[0].id
    return found


def _fill_attachment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")
    parser.add_argument("message", metavar="MESSAGE", help="the message's id, as attachment list prints it")
    parser.add_argument("number", metavar="N", type=int, nargs="?", default=0, help="which file (default: all of them)")


def _fill_save(parser: argparse.ArgumentParser) -> None:
    _fill_attachment(parser)
    parser.add_argument(
        "--to", metavar="FOLDER", default="", help=f"where to (default: ~/{incoming.FOLDER}); nothing is overwritten"
    )


async def _picked(desk: Desk, who: Agent, context: Context) -> tuple[CustomerId, list[Attachment]]:
    args = context.args
    customer = await desk.find(who, args.customer)
    for message in await _messages(desk, who, customer):
        if message.id != args.message:
            continue
        if args.number and not 1 <= args.number <= len(message.attachments):
            raise NotFound(f"This message has no file {args.number}.", "See: agentconsole attachment list")
        chosen = message.attachments if not args.number else (message.attachments[args.number - 1],)
        return customer, list(chosen)
    raise NotFound(f"This customer has no message {args.message} with a file.", "See: agentconsole attachment list")


async def attachment_save(context: Context) -> int:
    out, words = context.out, context.words
    folder = incoming.folder_for(context.args.to)
    saved = []
    async with context.desk() as (desk, who):
        customer, chosen = await _picked(desk, who, context)
        for one in chosen:
            if not one.blob:
                out.talk(words.say("attachment_not_kept", number="-", name=one.name, type=one.type))
                continue
            try:
                saved.append(await incoming.save(desk, who, customer, one, folder))
            except Unusable as fault:
                raise UsageError(f"{sentence(fault)} Nothing more was saved.", "Give another folder: --to") from fault
    environ = dict(context.world.environ)
    lines = [words.say("attachment_saved", path=path) for path in saved]
    out.result({"saved": [str(path) for path in saved]}, *lines)
    for path in saved:
        out.talk(words.say("attachment_scp", line=incoming.scp_line(Path(path), environ)))
    return 0 if saved else 5


async def attachment_view(context: Context) -> int:
    """Print what the files of a message say."""
    out, words = context.out, context.words
    async with context.desk() as (desk, who):
        customer, chosen = await _picked(desk, who, context)
        looked = [(one, await looking.look(desk, who, customer, one) if one.blob else None) for one in chosen]
    if out.json:
        out.object(
            {
                "files": [
                    {
                        "name": one.name,
                        "text": found.text if found is not None else "",
                        "cut": found is not None and found.cut,
                        "why": (found.why if found is not None else "not_kept") or None,
                    }
                    for one, found in looked
                ]
            }
        )
        return 0
    for number, (one, found) in enumerate(looked, 1):
        if found is None:
            out.line(words.say("attachment_not_kept", number=number, name=one.name, type=one.type))
            continue
        out.line(words.say("attachment_line", number=number, name=one.name, type=one.type, size=names.size(one.size)))
        if found.text:
            out.block(found.text)
        if found.cut:
            out.talk(words.say("attachment_cut"))
        if found.why:
            out.talk(words.say(f"look.{found.why}", name=one.name))
    return 0


COMMANDS = {
    "template": Command(
        None,
        actions={
            "list": ("every template", Command(template_list, _fill_list)),
            "show": ("one template, filled in for a customer", Command(template_show, _fill_show)),
            "check": ("try all templates of the configuration", Command(template_check)),
        },
    ),
    "attachment": Command(
        None,
        actions={
            "list": ("the files of a customer's messages", Command(attachment_list, _fill_attachment_list)),
            "save": ("save files of a message", Command(attachment_save, _fill_save)),
            "view": ("what files of a message say, as text", Command(attachment_view, _fill_attachment)),
        },
    ),
}
