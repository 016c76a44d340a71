"""Files for a reply: found by typing, read as the agent, streamed to the hub, listed and taken off again."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from agentconsole.desk import LARGEST_FILE
from agentconsole.domain.model import Attachment, RefusedRoute
from agentconsole.errors import AgentConsoleError
from agentconsole.files import names, outgoing
from agentconsole.files.outgoing import Offered, Unusable
from agentconsole.ui.asking import Asker
from agentconsole.ui.drafting import Writing
from agentconsole.ui.draw import our, row, safe, sides
from agentconsole.ui.widgets.paper import Item

if TYPE_CHECKING:
    from pathlib import Path

    from agentconsole.ui.app import Console
    from agentconsole.ui.widgets.boxes import Prompt
    from agentconsole.ui.widgets.reply import ReplyPane

TALL: Final = 8


class FilePicker(Asker):
    """Offers the files that are on the reply (to take off), then those of the drop folder or of a typed path."""

    name = "attach"

    def __init__(self, app: Console, attaching: Attaching) -> None:
        super().__init__(app)
        self._attaching = attaching
        self._folder: Path | None = None
        self._offered: list[Offered] = []
        self._offered_for = ""
        self._typed = ""

    async def begin(self) -> None:
        try:
            self._folder = await asyncio.to_thread(outgoing.drop_folder)
        except Unusable as fault:
            self._attaching.tell_unusable(fault)
        else:
            self.app.tell("attach.hint", "dim", line=outgoing.scp_line())
        await self._look("")

    def changed(self, words: str) -> None:
        if words != self._typed:
            self._typed = words
            self.app.start(partial(self._look, words), "complete")

    async def _look(self, words: str) -> None:
        folder = self._folder or outgoing.home()
        found = await asyncio.to_thread(outgoing.offered, words, folder)
        if words == self._typed:
            self._offered, self._offered_for = found, words
            self._draw()

    def _draw(self) -> None:
        app, pane, writing = self.app, self.app.writer.pane, self.app.writer.now
        if pane is None or writing is None or not app.writer.prompting:
            return
        width = max(pane.size.width - 2, 20)
        items = [
            Item(
                sides(
                    row(our(" "), (app.say("attach.on"), "good"), our(" "), safe(one.name, 120)),
                    row((our(f"{names.size(one.size)}  "), "dim"), (app.say("attach.off_key"), "key")),
                    width,
                ),
                one,
            )
            for one in (writing.attachments if not self._typed else ())
        ]
        for one in self._offered:
            size = our(names.size(one.size) + " ") if one.size >= 0 else our("")
            items.append(Item(sides(row(our(" "), safe(one.shown, 200)), row((size, "dim")), width), one))
        if not items:
            items = [Item(row(our(" "), (app.say("attach.nothing"), "dim")))]
        cursor = pane.choices.cursor
        pane.choices.items = items
        pane.choices.cursor = min(max(cursor, 0), len(items) - 1)
        if pane.show_choices(items, most=TALL if app.size.height >= 36 else 4):
            app.arrange(app.size)

    def move(self, by: int) -> None:
        if self.app.writer.pane is not None:
            self.app.writer.pane.choices.move(by)

    def complete(self) -> None:
        """Put in the path that is marked, or the first; where nothing is typed there is none to complete."""
        pane, prompt = self.app.writer.pane, self.app.acting.prompt
        if pane is None or prompt is None or not self._typed:
            self.move(1)
            return
        if self._offered_for == prompt.typed.strip():
            self._put_in(pane, prompt)
        else:  # faster than the disk: the list is still that of fewer letters
            self._typed = prompt.typed.strip()
            self.app.start(partial(self._complete_later, pane, prompt), "complete")

    async def _complete_later(self, pane: ReplyPane, prompt: Prompt) -> None:
        await self._look(self._typed)
        if self._offered_for == prompt.typed.strip():
            self._put_in(pane, prompt)

    def _put_in(self, pane: ReplyPane, prompt: Prompt) -> None:
        chosen = pane.choices.chosen
        if isinstance(chosen, Offered) and chosen.path != prompt.typed.strip():
            prompt.put(chosen.path)
        else:
            self.move(1)

    async def submit(self, words: str) -> bool:
        pane, writing, prompt = self.app.writer.pane, self.app.writer.now, self.app.acting.prompt
        if pane is None or writing is None or prompt is None:
            return True
        self._typed = words
        if words != self._offered_for:  # typed and confirmed in one read: the list is that of other words
            await self._look(words)
        chosen = pane.choices.chosen
        if pane.choices.cursor <= 0:
            chosen = next((one for one in self._offered if one.path == words), chosen)
        if isinstance(chosen, Attachment):
            self._attaching.take_off(writing, chosen)
            return True
        if isinstance(chosen, Offered) and chosen.size < 0:
            prompt.put(chosen.path)
            return False
        typed = chosen.path if isinstance(chosen, Offered) else words
        if not typed:
            return True
        path = outgoing.full_path(typed, self._folder or outgoing.home())
        self._attaching.start(writing, path)
        return True

    def end(self) -> None:
        pane = self.app.writer.pane
        if pane is not None and pane.show_choices(()):
            self.app.arrange(self.app.size)


class Attaching:
    """Args:
    app: the console whose draft the files belong to.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self._under_way: asyncio.Task[object] | None = None

    @property
    def busy(self) -> bool:
        return self._under_way is not None

    def stop(self) -> None:
        """Stop the file that is on its way to the hub."""
        if self._under_way is not None:
            self._under_way.cancel()

    def start(self, writing: Writing, path: Path) -> None:
        self.app.start(partial(self._send, writing, path), "attach", exclusive=False)

    async def _send(self, writing: Writing, path: Path) -> None:
        app = self.app
        self._under_way = asyncio.current_task()
        told = -1

        def progress(done: int, size: int) -> None:
            nonlocal told
            tenths = done * 10 // size if size else 10
            if tenths != told and done < size:  # a line for every part would be bytes for nothing
                told = tenths
                sizes = f"{names.size(done)} / {names.size(size)}"
                app.tell("attach.progress", "dim", name=names.safe(path.name), sizes=sizes)

        try:
            kept = await outgoing.send(app.desk, app.who, app.settings.request_ids(), writing.customer, path, progress)
        except Unusable as fault:
            self.tell_unusable(fault)
        except asyncio.CancelledError:
            if not app.is_running:
                raise
            app.tell("attach.stopped", "warn", name=names.safe(path.name))
        except AgentConsoleError as error:
            app.tell_error(error)
        else:
            await self._put_on(writing, kept)
        finally:
            self._under_way = None

    async def _put_on(self, writing: Writing, kept: Attachment) -> None:
        app = self.app
        if kept in writing.attachments:
            app.tell("attach.twice", "dim", name=kept.name)
            return
        self._change(writing, (*writing.attachments, kept))
        await app.writer.choose_for(writing)
        if isinstance(writing.at, RefusedRoute):
            app.tell("attach.refused", "warn")  # why not, the line above the text says
        else:
            app.tell("attach.done", "good", name=kept.name, size=names.size(kept.size))

    def take_off(self, writing: Writing, gone: Attachment) -> None:
        """Take a file off a reply; undo puts it back."""
        app, before = self.app, writing.attachments

        async def back() -> None:
            self._change(writing, before)
            app.tell("attach.back", "good", name=gone.name)

        self._change(writing, tuple(one for one in before if one != gone))
        app.acting.undo_later(back)
        app.tell("attach.off", "good", name=gone.name)
        app.writer.choose()

    def _change(self, writing: Writing, attachments: tuple[Attachment, ...]) -> None:
        writing.attachments = attachments
        writing.revision += 1
        self.app.writer.take()
        self.app.writer.keep_soon(0.0)
        self.app.writer.update()

    def tell_unusable(self, fault: Unusable) -> None:
        limit = str(LARGEST_FILE // 1_000_000)
        self.app.tell(f"file.{fault.why}", "bad", name=fault.name, detail=fault.detail, limit=limit)
