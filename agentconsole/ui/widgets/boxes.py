"""Where text is typed: the reply box and the one-line prompt. Both are TextAreas, whose caret is right for Korean."""

from __future__ import annotations

import unicodedata

from textual.events import Blur, Key, Paste
from textual.message import Message
from textual.widgets import TextArea

from agentconsole.text.sanitise import sanitise


def _lines(pasted: str) -> str:
    """Return a paste with line feeds: terminals (xterm, tmux) send every line's end as the enter key does, as a CR."""
    return pasted.replace("\r\n", "\n").replace("\r", "\n")


class Box(TextArea):
    """A text of several lines. What is pasted or restored is sanitised like any text from outside."""

    class Left(Message):
        """The keyboard went elsewhere."""

    DEFAULT_CSS = """
    Box, Prompt { border: none; padding: 0 1; height: 1fr; scrollbar-size: 0 0; background: transparent; }
    Box:focus, Prompt:focus { border: none; background-tint: transparent; }
    Prompt { height: 1; padding: 0; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, highlight_cursor_line=False, soft_wrap=True, tab_behavior="focus")
        self.cursor_blink = False

    @property
    def typed(self) -> str:
        """The text as it is sent: composed, because some input methods leave letters apart."""
        return unicodedata.normalize("NFC", self.text)

    def put(self, text: str, caret: tuple[int, int] | None = None) -> None:
        """Show a text with the caret at a line and column, or at its end."""
        self.load_text(sanitise(text))
        self.move_cursor(self.clamp_visitable(caret) if caret is not None else self.document.end)

    async def _on_key(self, event: Key) -> None:
        """Edit here, rather than when the key has come up to the app: the key after it must find the edited text."""
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            event.stop()
            event.prevent_default()
            await self.run_action(binding.action)
            return

    async def _on_paste(self, event: Paste) -> None:
        event.prevent_default()
        if result := self._replace_via_keyboard(sanitise(_lines(event.text)), *self.selection):
            self.move_cursor(result.end_location)

    def on_blur(self, event: Blur) -> None:
        self.post_message(self.Left())


class Prompt(Box):
    """One line. Enter is the app's, so that nothing here ever holds a line feed."""

    async def _on_paste(self, event: Paste) -> None:
        event.prevent_default()
        text = sanitise(_lines(event.text), multiline=False, limit=500)
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)
