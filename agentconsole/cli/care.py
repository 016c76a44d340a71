"""``store backup|restore|check|rebuild|accept|prune``: the embedded store's folder, as the account of the hub."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from agentconsole import bootstrap
from agentconsole.cli import erasing
from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command
from agentconsole.cli.phrases_care import PHRASES
from agentconsole.errors import NotFound, TryLater, UsageError
from agentconsole.seams import steps_from_environment

if TYPE_CHECKING:
    from agentconsole.cli.output import Fields
    from agentconsole.store.care.manifest import Kept
    from agentconsole.store.care.restore import Restored

WAIT = 60.0
"""Seconds that a backup waits for an erasure that is under way."""

_PAUSE = 0.5
_TELL_EVERY = 1.0
"""Seconds between two lines of progress."""

UNDECIDED = 2
"""Exit code where ``--yes`` is missing: the call is not complete, and nothing was done."""


def _say(context: Context) -> Callable[..., str]:
    phrases = PHRASES[context.language]
    return lambda key, **values: phrases[key].format(**values)


def _store(context: Context) -> Path:
    """Return the folder that is meant, and let nobody else read what is made from now on."""
    os.umask(0o077)
    given = context.args.store
    return Path(given).expanduser() if given else bootstrap.store_folder(context.profile)


def _fill_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", metavar="FOLDER", default="", help="the store's folder (default: the profile's)")


def _progress(context: Context) -> Callable[[str, int, int], None]:
    """Return what tells on stderr how far it is, at most once a second."""
    say, clock = _say(context), context.world.clock
    told = clock.monotonic()

    def tell(what: str, done: int, of: int) -> None:
        nonlocal told
        if clock.monotonic() - told >= _TELL_EVERY:
            told = clock.monotonic()
            context.out.talk(say("progress" if of else "progress_open", what=what, done=done, of=of))

    return tell


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.1f}"


def _kept(kept: Kept, why: str) -> Fields:
    return {"path": kept.path, "customer": kept.customer or None, "why": why}


# -- backup -------------------------------------------------------------------------------------------------


def _fill_backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="where to: a new or an empty folder")
    _fill_store(parser)


def backup(context: Context) -> int:
    """Copy the store while its hub writes on."""
    from agentconsole.store.care.backup import backup as copy
    from agentconsole.store.care.backup import remember

    root, say, out = _store(context), _say(context), context.out
    clock = context.world.clock
    end = clock.monotonic() + WAIT
    while True:
        try:
            found = copy(
                root,
                Path(context.args.folder).expanduser(),
                clock=clock,
                steps=steps_from_environment(),
                progress=_progress(context),
            )
            break
        except TryLater:
            if clock.monotonic() > end:
                raise
            out.talk(say("waits"))
            asyncio.run(clock.sleep(_PAUSE))
    remember(root, found)
    out.result(
        {
            "backup": found.folder,
            "store": found.store,
            "began": found.began.isoformat(),
            "ended": found.ended.isoformat(),
            "customers": found.customers,
            "entries": found.entries,
            "files": found.files,
            "size": found.size,
            "damaged": [_kept(kept, kept.damaged) for kept in found.damaged],
        },
        say(
            "backed_up",
            folder=found.folder,
            customers=found.customers,
            entries=found.entries,
            files=found.files,
            mb=_mb(found.size),
        ),
        *(say("backed_damage", path=kept.path, why=kept.damaged) for kept in found.damaged),
    )
    return 0


# -- restore ------------------------------------------------------------------------------------------------


def _fill_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backup", metavar="BACKUP", help="the folder that store backup wrote")
    parser.add_argument(
        "--ledger", metavar="FOLDER", action="append", default=[], help="a ledger folder that was kept elsewhere"
    )
    parser.add_argument("--partial", action="store_true", help="restore what is left of a damaged backup")
    _fill_store(parser)


def restore(context: Context) -> int:
    """Put a backup in the store's place; no hub may run."""
    from agentconsole.store.care.restore import restore as put_back

    root, out, args = _store(context), context.out, context.args
    ledgers = [Path(folder).expanduser() for folder in args.ledger]
    for folder in ledgers:
        if not folder.is_dir():
            raise NotFound(f"There is no folder {folder}. Nothing was restored.", "Name the folder of the ledgers.")
    found = put_back(
        Path(args.backup).expanduser(),
        root,
        clock=context.world.clock,
        random=context.world.random,
        steps=steps_from_environment(),
        ledgers=ledgers,
        partial=args.partial,
        progress=_progress(context),
    )
    out.result(_restored(found), *_restored_lines(context, found))
    return 1 if found.damaged else 0


def _restored(found: Restored) -> Fields:
    return {
        "store": found.store,
        "backup": found.backup,
        "began": found.began.isoformat(),
        "before": found.before or None,
        "customers": found.customers,
        "entries": found.entries,
        "reapplied": {
            "erased": found.reapplied.erased,
            "consents": found.reapplied.consents,
            "redacted": found.reapplied.redacted,
        },
        "damaged": [_kept(kept, why) for kept, why in found.damaged],
        "finished": found.finished_only,
    }


def _restored_lines(context: Context, found: Restored) -> Sequence[str]:
    say, again = _say(context), found.reapplied
    lines = [say("restored_finished")] if found.finished_only else []
    began = context.words.moment(found.began)
    lines.append(say("restored", store=found.store, customers=found.customers, entries=found.entries, began=began))
    lines.append(say("reapplied", erased=again.erased, consents=again.consents, redacted=again.redacted))
    if found.before:
        lines.append(say("restored_before", before=found.before))
    lines.append(say("restored_next"))
    return [*lines, *(say("restored_damage", path=kept.path, why=why) for kept, why in found.damaged)]


# -- check and rebuild --------------------------------------------------------------------------------------


def _fill_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--files-only", action="store_true", help="leave out the index, which can be built anew")
    parser.add_argument("--backup", metavar="BACKUP", default="", help="check a backup instead of the store")
    _fill_store(parser)


def check(context: Context) -> int:
    """Read every file of the store and say what is wrong; 1 where something is damaged."""
    if context.args.backup:
        return _check_backup(context, Path(context.args.backup).expanduser())
    from agentconsole.store.care.check import check as look

    say, out = _say(context), context.out
    found = look(_store(context), files_only=context.args.files_only, progress=_progress(context))
    harmed = [finding for finding in found.findings if finding.harm]
    lines = []
    for finding in found.findings:
        key = "finding_customer" if finding.customer else "finding"
        lines.append(say(key, path=finding.path, what=finding.what, customer=finding.customer))
        lines.append(say("finding_do", do=finding.do))
    numbers = {"customers": found.customers, "entries": found.entries, "files": found.files}
    remarks = len(found.findings) - len(harmed)
    out.result(
        {
            **numbers,
            "findings": [
                {"path": f.path, "customer": f.customer or None, "what": f.what, "do": f.do, "damaged": f.harm}
                for f in found.findings
            ],
        },
        *lines,
        say("checked", **numbers, damaged=len(harmed), remarks=remarks),
    )
    return 1 if harmed else 0


def _check_backup(context: Context, folder: Path) -> int:
    from agentconsole.store.care import manifest

    say, tell = _say(context), _progress(context)
    found = manifest.read(folder)
    damaged: list[tuple[Kept, str]] = []
    for number, kept in enumerate(found.files, 1):
        if why := manifest.differs(folder, kept):
            damaged.append((kept, why))
        tell("verified", number, len(found.files))
    sound = say("backup_sound", folder=folder, files=len(found.files), began=context.words.moment(found.start.began))
    context.out.result(
        {
            "backup": str(folder),
            "began": found.start.began.isoformat(),
            "files": len(found.files),
            "damaged": [_kept(kept, why) for kept, why in damaged],
        },
        *(say("restored_damage", path=kept.path, why=why) for kept, why in damaged),
        *([] if damaged else [sound]),
    )
    return 1 if damaged else 0


def _fill_rebuild(parser: argparse.ArgumentParser) -> None:
    _fill_store(parser)


def rebuild(context: Context) -> int:
    """Build index and full text anew from the files; no hub may run."""
    from agentconsole.store.care.rebuild import rebuild as build

    world, say = context.world, _say(context)
    found = build(
        _store(context),
        clock=world.clock,
        random=world.random,
        steps=steps_from_environment(),
        progress=_progress(context),
    )
    rate = round(found.entries / found.seconds) if found.seconds > 0 else found.entries
    context.out.result(
        {
            "customers": found.customers,
            "entries": found.entries,
            "seconds": round(found.seconds, 3),
            "damaged": list(found.damaged),
            "differing": list(found.differing),
        },
        say("rebuilt", customers=found.customers, entries=found.entries, seconds=f"{found.seconds:.1f}", rate=rate),
        *(say("rebuilt_damaged", customer=customer) for customer in found.damaged),
        *(say("rebuilt_differs", what=what) for what in found.differing),
    )
    return 1 if found.differing or found.damaged else 0


# -- prune --------------------------------------------------------------------------------------------------


def _fill_prune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--older-than", metavar="DAYS", type=int, default=30, help="only what is older (default: 30)")
    parser.add_argument("--yes", action="store_true", help="remove it; without, only list it (exit 2)")
    _fill_store(parser)


def prune(context: Context) -> int:
    """List what care left behind, and remove it with ``--yes``."""
    from agentconsole.store.care.prune import prune as remove
    from agentconsole.store.care.prune import removable

    args, say, out = context.args, _say(context), context.out
    if args.older_than < 0:
        raise UsageError("A number of days cannot be negative. Nothing was removed.", "Give --older-than DAYS.")
    root = _store(context)
    found = removable(root, timedelta(days=args.older_than), context.world.clock.now())
    if args.yes:
        remove(root, found, steps_from_environment())
    lines = [
        say("removable", path=one.path, what=one.what, mb=_mb(one.size), day=context.words.moment(one.since))
        for one in found
    ]
    if not found:
        lines.append(say("nothing_old"))
    elif args.yes:
        lines.append(say("pruned", n=len(found)))
    else:
        lines.append(say("prune_yes", days=args.older_than))
    out.result(
        {
            "removed": bool(args.yes and found),
            "found": [
                {"path": one.path, "what": one.what, "size": one.size, "since": one.since.isoformat()} for one in found
            ],
        },
        *lines,
    )
    return UNDECIDED if found and not args.yes else 0


COMMANDS = {
    "store": Command(
        None,
        actions={
            "backup": ("copy the store while the hub runs", Command(backup, _fill_backup)),
            "restore": ("put a backup in the place of the store", Command(restore, _fill_restore)),
            "check": ("read every file and say what is damaged", Command(check, _fill_check)),
            "rebuild": ("build index and full text anew from the files", Command(rebuild, _fill_rebuild)),
            "accept": ("take a damaged customer back into use", erasing.ACCEPT),
            "prune": ("remove what restores and damage left behind", Command(prune, _fill_prune)),
        },
    )
}
