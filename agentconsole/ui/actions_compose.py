"""The actions of composing: templates, files both ways, the editor, quotation, preview, recipients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentconsole.ui import outside
from agentconsole.ui.actions_base import ActingPart
from agentconsole.ui.asking import Asker

if TYPE_CHECKING:
    from agentconsole.ui.attaching import Attaching
    from agentconsole.ui.outside_screen import Editor
    from agentconsole.ui.received_files import ReceivedFiles
    from agentconsole.ui.reviewing import Reviewing


class ComposeActions(ActingPart):
    """What it needs is loaded with the first key that wants it, not with the console."""

    _attaching: Attaching | None = None
    _editor: Editor | None = None
    _files: ReceivedFiles | None = None
    _reviewing: Reviewing | None = None

    @property
    def attaching(self) -> Attaching:
        if self._attaching is None:
            from agentconsole.ui.attaching import Attaching

            self._attaching = Attaching(self.app)
        return self._attaching

    @property
    def files(self) -> ReceivedFiles:
        if self._files is None:
            from agentconsole.ui.received_files import ReceivedFiles

            self._files = ReceivedFiles(self.app)
        return self._files

    @property
    def reviewing(self) -> Reviewing:
        if self._reviewing is None:
            from agentconsole.ui.reviewing import Reviewing

            self._reviewing = Reviewing(self.app)
        return self._reviewing

    # -- while a text is typed ------------------------------------------------------------------------------

    async def do_templates(self) -> None:
        if self.app.writer.now is not None:
            from agentconsole.ui.templates import TemplatePicker

            await self.ask_words(TemplatePicker(self.app))

    async def do_attach(self) -> None:
        writing = self.app.writer.now
        if self.attaching.busy:
            self.attaching.stop()
        elif writing is None or writing.note:
            self.app.tell("attach.note", "dim")
        else:
            from agentconsole.ui.attaching import FilePicker

            await self.ask_words(FilePicker(self.app, self.attaching))

    async def do_edit(self) -> None:
        if self.app.where == "conversation":
            await self.write(note=False)
        if self._editor is None:
            from agentconsole.ui.outside_screen import Editor

            self._editor = Editor(self.app)
        if self.app.where == "box":
            self.app.start(self._editor.edit, "editor")

    def do_quote(self) -> None:
        self.reviewing.quote()

    async def do_preview(self) -> None:
        self.app.start(self.reviewing.preview, "page")

    def do_recipients(self) -> None:
        self.reviewing.recipients()

    # -- while a message is read ----------------------------------------------------------------------------

    def do_files(self) -> None:
        self.files.open()

    async def act_on_file(self, chosen: object) -> None:
        await self.files.act(chosen)

    def copy_text(self, text: str) -> None:
        app = self.app
        try:
            app.write(outside.copy(text, in_tmux=app.settings.in_tmux))
        except ValueError:
            app.tell("copy.nothing", "warn")
        else:
            app.tell("files.copied", "good", text=text)

    # -- what it needs of the other parts -------------------------------------------------------------------

    async def ask_words(self, asker: Asker) -> None:
        raise NotImplementedError

    async def write(self, *, note: bool) -> None:
        raise NotImplementedError
