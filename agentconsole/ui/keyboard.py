"""What a key means where it was pressed: chords, Hangul input, what is pasted where nothing is typed.

A Korean input method composes: what arrives in a list may be a letter (ㅓ), a syllable of several keys (햐 for g i), or
letters of Unicode's conjoining block, and late, with the next key. One letter is one key; but shift is lost on most of
them (ㅁ is a and A), and a letter that was held back may come when the keyboard is on another row. So moves and what
only shows are done, and what changes something asks for 한/영.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from agentconsole.text.hangul import in_latin_mode, is_hangul
from agentconsole.ui import keys
from agentconsole.ui.draw import our
from agentconsole.ui.keys import Action, shown_key

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

CAUGHT_UP: Final = 1.0
"""Seconds that a command waits at most for the box to take the keys that came before it."""


class Keyboard:
    """Args:
    app: the console whose actions it runs.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self.prefix = ""
        """The first key of a chord that waits for its second one, for as long as that takes."""
        self.hangul = False
        """Hangul arrived last where no text is typed."""

    async def takes(self, where: str, key: str, typed: str | None) -> bool:
        """Run what a key means; say whether it was used up.

        Args:
            where: the context that the keyboard is in.
            key: its name, as Textual's parser gives it.
            typed: its character, where it has one.
        """
        app = self.app
        if typed and key.startswith("alt+") and app.say.keymap.at(where, key) is None:
            # Escape and a key in one read are no alt key: a slow line brings them so, and ibus, which sends escape
            # before the syllable that it held back.
            if is_hangul(typed):
                await self._left_while_composing(where, typed)
            else:
                await self._left_and(where, typed)
            return True
        if where in keys.READING and typed:
            self._arrives(is_hangul(typed))
            if self.hangul:
                return await self._hangul(where, typed)
        prefix, self.prefix = self.prefix, ""
        if prefix:
            return await self._second(where, prefix, key, typed)
        name = typed or key
        action = app.say.keymap.at(where, name, key)
        if action is not None:
            if where in keys.TYPING:
                await self._caught_up()
            await app.act(action)
            return True
        if app.say.keymap.begins(where, name):
            await self._first(where, name)
            return True
        if where not in keys.READING:
            return False
        if key == "ctrl+s" and app.writer.is_open and app.writer.now is not None:
            app.tell("strip.not_in_box", "warn")
        elif typed or key.startswith("ctrl+"):
            app.tell("strip.unknown", "dim", key=shown_key(name))
        return True

    def pasted(self, where: str) -> bool:
        """Say that a paste does nothing where no text is typed; it never runs as keys."""
        if where not in keys.READING:
            return False
        self.app.tell("strip.pasted", "dim")
        return True

    # -- chords ---------------------------------------------------------------------------------------------

    async def _first(self, where: str, prefix: str) -> None:
        """Remember the first key of a chord and show what may follow."""
        if where in keys.TYPING:
            await self._caught_up()
        self.prefix = prefix
        app = self.app
        known = ((key, app.acting.chord_hint(action)) for key, action in app.say.keymap.following(where, prefix))
        follows = [f"{shown_key(key)} {hint}" for key, hint in known if hint]
        app.tell_text(our(f"{shown_key(prefix)} ..  {'  '.join(follows)}"), "dim")

    async def _second(self, where: str, prefix: str, key: str, typed: str | None) -> bool:
        """Run a chord by its second key; escape leaves it, any other key says that it means nothing."""
        app = self.app
        names = [typed and in_latin_mode(typed), key]
        action = app.say.keymap.at(where, *(f"{prefix} {name}" for name in names if name))
        app.tell_text(our(""))
        if action is not None:
            await app.act(action)
        elif key != "escape":
            sentence = "strip.unknown" if where in keys.READING else "strip.unknown_typing"
            app.tell(sentence, "dim", key=shown_key(f"{prefix} {typed or key}"))
        return True

    async def _left_while_composing(self, where: str, held: str) -> None:
        """Put the syllable where it was typed, then leave."""
        await self._caught_up()
        pane, prompt = self.app.writer.pane, self.app.acting.prompt
        box = pane.box if where == "box" and pane is not None else prompt if where == "prompt" else None
        if box is not None:
            box.insert(held)
            await self._caught_up()
        await self._leave(where)

    async def _left_and(self, where: str, typed: str) -> None:
        """Leave, then run what the next key means there; what it would change, nobody may have meant."""
        await self._caught_up()
        await self._leave(where)
        app = self.app
        action = app.say.keymap.at(app.where, typed)
        if app.where not in keys.READING or (action is not None and action.changes):
            app.tell("strip.dropped", "note")
        else:
            await self.takes(app.where, typed, typed)

    async def _leave(self, where: str) -> None:
        leave = self.app.say.keymap.at(where, "escape")
        self.prefix = ""
        if leave is not None:
            await self.app.act(leave)

    async def _caught_up(self) -> None:
        """Wait until the box has every key that came before: over a slow line text and ctrl+s come in one read."""
        done = asyncio.Event()
        focused = self.app.focused
        if focused is not None and focused.call_later(done.set):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CAUGHT_UP):
                    await done.wait()

    # -- Hangul ---------------------------------------------------------------------------------------------

    def _arrives(self, hangul: bool) -> None:
        if hangul != self.hangul:
            self.hangul = hangul
            self.app.footer.update()

    async def _hangul(self, where: str, text: str) -> bool:
        """Run what Hangul letters stand for, or ask for the key to be switched."""
        app, prefix = self.app, self.prefix
        self.prefix = ""
        pressed = in_latin_mode(text)
        found: list[Action] = []
        for latin in pressed:
            name = f"{prefix} {latin}" if prefix else latin
            action = app.say.keymap.at(where, name)
            if action is None and not prefix and app.say.keymap.begins(where, name):
                prefix = name
                continue
            prefix = ""
            if action is None:
                app.tell("strip.hangul", "warn")
                return True
            found.append(action)
        guessed = len(pressed) > 1
        if any(action.changes or action.id == "quit" or (guessed and action.id not in keys.MOVES) for action in found):
            app.tell("strip.hangul", "warn")
            return True
        for action in found:
            await app.act(action)
        if prefix:
            await self._first(where, prefix)
        return True
