"""The files and links of a message: saved on the agent's side, read as text, shown as a picture on demand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentconsole.desk import LARGEST_FILE
from agentconsole.domain.entries import Received, Reply
from agentconsole.domain.model import Attachment, CustomerId
from agentconsole.errors import AgentConsoleError
from agentconsole.files import incoming, looking, names
from agentconsole.files.outgoing import Unusable
from agentconsole.ui.asking import Asker
from agentconsole.ui.draw import Row, block, our, row, safe, sides, wrap
from agentconsole.ui.widgets.paper import Item

if TYPE_CHECKING:
    from agentconsole.ui.app import Console
    from agentconsole.ui.say import Say

PAGE: Final = "files"
VIEW: Final = "file"
MOST_LINKS: Final = 50
_LINK: Final = re.compile(r"(?:https?://|mailto:|tel:)[^\s<>\"'\u3000]{3,2000}")
_AFTER: Final = ".,;:!?)]}'\"…」』"


@dataclass(frozen=True)
class Show:
    """Read a file as text."""

    file: Attachment


@dataclass(frozen=True)
class Picture:
    file: Attachment


@dataclass(frozen=True)
class Save:
    """Save a file; ``ask`` for the folder."""

    file: Attachment
    ask: bool = False


@dataclass(frozen=True)
class Copy:
    """Put a text into the clipboard."""

    text: str


def links(text: str) -> list[str]:
    """Return the links of a message, each once. Nothing ever follows one by itself."""
    found = (match[0].rstrip(_AFTER) for match in _LINK.finditer(text[:200_000]))
    return list(dict.fromkeys(found))[:MOST_LINKS]


def page(
    entry: Received | Reply, text: str, say: Say, width: int, saved: Sequence[tuple[Attachment, Path]] = ()
) -> list[Item]:
    """Return the page of a message's files and links.

    Args:
        saved: what was saved from it, with where it lies.
    """
    found = [Item(row((say("files.title"), "title")))]
    where = dict(saved)
    for one in entry.attachments:
        size = our(names.size(one.size)) if one.size else our("")
        told = row((our(" "), ""), (safe(one.name, 120), "bold"))
        found.append(Item(sides(told, row((size, "dim"), our("  "), (safe(one.type, 60), "dim")), width)))
        if not one.blob:
            found.append(Item(_under(say("files.named_only"), "warn")))
            continue
        if looking.kind_of(one):
            found.append(Item(_under(say("files.show")), Show(one)))
        if looking.is_picture(one):
            found.append(Item(_under(say("files.picture")), Picture(one)))
        found.append(Item(_under(say("files.save", folder=f"~/{incoming.FOLDER}")), Save(one)))
        found.append(Item(_under(say("files.save_to")), Save(one, ask=True)))
        if one in where:
            found.append(Item(_under(say("files.saved", path=str(where[one])), "good")))
            line = incoming.scp_line(where[one])
            found.append(Item(_under(safe(line, 500)), Copy(line)))
    if not entry.attachments:
        found.append(Item(row(our(" "), (say("files.none"), "dim"))))
    theirs = links(text)
    if theirs:
        found += [Item(()), Item(row((say("files.links"), "title")))]
        found += [Item(_under(safe(link, 400)), Copy(link)) for link in theirs]
    return found


def _under(text: object, style: str = "") -> Row:
    return row(our("   "), (our(str(text)), style))


class FolderPrompt(Asker):
    name = "folder"

    def __init__(self, app: Console, files: ReceivedFiles, file: Attachment) -> None:
        super().__init__(app)
        self._files, self._file = files, file

    async def begin(self) -> None:
        self.app.tell("files.folder_hint", "dim", folder=f"~/{incoming.FOLDER}")

    async def submit(self, words: str) -> bool:
        self._files.save(self._file, words)
        return True


class ReceivedFiles:
    """Args:
    app: the console on whose page the files stand.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self._entry: Received | Reply | None = None
        self._customer = CustomerId("")
        self._text = ""
        self._saved: list[tuple[Attachment, Path]] = []

    def open(self) -> None:
        """Show the page of the message that the keyboard is on."""
        app, entry = self.app, self.app.timeline.chosen_entry
        opened = app.reading.opened
        if opened is None or not isinstance(entry, Received | Reply) or entry.id in opened.removed:
            app.tell("files.no_message", "dim")
            return
        self._entry, self._customer = entry, opened.customer.id
        self._text = opened.clear.get(entry.id, entry.text)
        self._saved = []
        if not entry.attachments and not links(self._text):
            app.tell("files.nothing", "dim")
            return
        self._draw(keep=False)

    def _draw(self, *, keep: bool) -> None:
        if self._entry is not None:
            entry, text, saved = self._entry, self._text, tuple(self._saved)
            self.app.show_page(PAGE, lambda width: page(entry, text, self.app.say, width, saved), keep=keep)

    async def act(self, chosen: object) -> None:
        """Do what enter means on a line of the page."""
        app = self.app
        match chosen:
            case Show(file):
                app.tell("files.reading", "dim", name=file.name)
                app.start(partial(self._show, file), "page")
            case Picture(file):
                from agentconsole.ui.outside_screen import show_picture

                app.start(partial(show_picture, app, self._customer, file), "picture")
            case Save(file, ask=True):
                await app.acting.ask_words(FolderPrompt(app, self, file))
            case Save(file):
                self.save(file, "")
            case Copy(text):
                app.acting.copy_text(text)

    def save(self, file: Attachment, folder: str) -> None:
        self.app.start(partial(self._save, file, folder), "save", exclusive=False)

    async def _save(self, file: Attachment, typed: str) -> None:
        app = self.app
        told = -1

        def progress(done: int, size: int) -> None:
            nonlocal told
            tenths = done * 10 // size if size else 10
            if tenths != told and done < size:
                told = tenths
                sizes = f"{names.size(done)} / {names.size(size)}"
                app.tell("files.progress", "dim", name=names.safe(file.name), sizes=sizes)

        try:
            folder = incoming.folder_for(typed)
            path = await incoming.save(app.desk, app.who, self._customer, file, folder, progress)
        except Unusable as fault:
            limit = str(LARGEST_FILE // 1_000_000)
            app.tell(f"file.{fault.why}", "bad", name=fault.name, detail=fault.detail, limit=limit)
            return
        self._saved.append((file, path))
        app.tell("files.saved_strip", "good", path=str(path))
        if app.page_kind == PAGE:
            self._draw(keep=True)

    async def _show(self, file: Attachment) -> None:
        app = self.app
        try:
            found = await looking.look(app.desk, app.who, self._customer, file)
        except AgentConsoleError as error:
            app.tell_error(error)
            return
        if found.why:
            app.tell(f"look.{found.why}", "warn", name=file.name)
            return
        items = await asyncio.to_thread(_view, app.say, file, found, app.acting.page_width())
        app.tell_text(our(""))
        app.show_page(VIEW, items)


def _view(say: Say, file: Attachment, found: looking.Looked, width: int) -> list[Item]:
    items = [Item(row((safe(file.name, 120), "title"))), Item(())]
    items += [Item(row(our(" "), line)) for line in wrap(block(found.text), width - 2, 5_000)]
    if found.cut:
        items.append(Item(row(our(" "), (say("look.cut"), "dim"))))
    return items
