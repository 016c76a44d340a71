"""Writing first: a message that answers nobody, through the same reply pane. What it is about is asked before, because
law, consent, hours and cap are judged by it."""

from __future__ import annotations

from functools import partial

from agentconsole.ui.actions_base import Target
from agentconsole.ui.actions_work import WorkActions
from agentconsole.ui.drafting import holds
from agentconsole.ui.work_asking import SEPARATOR, LineAsker, completed


class BeginActions(WorkActions):
    async def do_write_first(self) -> None:
        """Begin a message to the customer whom the keyboard is on."""
        app, target = self.app, self.target()
        if target is None:
            return
        key = (target.conversation, False)
        known, kept = app.writer.known.get(key), app.writer.kept.get(key)
        answering = known is not None and not known.empty and not known.proactive
        if answering or (known is None and kept is not None and holds(kept) and not kept.proactive):
            app.tell("first.draft", "warn")
            return
        if (known is not None and not known.empty) or (known is None and kept is not None and holds(kept)):
            await self.write(note=False)
            return
        offers = app.say("work.purposes").split(SEPARATOR)
        await self.ask_words(
            LineAsker(
                app,
                "purpose",
                partial(self._begin, target),
                lambda words: completed(words, offers),
                lambda _: app.say("work.purpose", some=" / ".join(offers)),
            )
        )

    async def _begin(self, target: Target, words: str) -> bool:
        self.close_prompt()
        await self.write(note=False, target=target, purpose=words)
        return False

    async def write(self, *, note: bool, target: Target | None = None, purpose: str | None = None) -> None:
        raise NotImplementedError

    def close_prompt(self) -> None:
        raise NotImplementedError
