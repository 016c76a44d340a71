"""The actions that work on conversations: on the one that the keyboard is on, or on all that are marked in the list.

Each is one call of ``Desk.work``, whatever it is and for however many; one undo takes all of it back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from agentconsole.desk import (
    Act,
    AddTask,
    Assign,
    Block,
    Done,
    FinishTask,
    Join,
    Prioritise,
    PutAside,
    SetStatus,
    Split,
    Tag,
    WriteNote,
)
from agentconsole.domain.model import AgentName, ConversationId, ConversationStatus, EntryId, Priority
from agentconsole.ui import work_asking
from agentconsole.ui.actions_base import Target
from agentconsole.ui.draw import Safe, our, row, safe, wrap
from agentconsole.ui.undoing import UndoActions
from agentconsole.ui.widgets.paper import Item
from agentconsole.ui.work_asking import LineAsker, WhenAsker

if TYPE_CHECKING:
    from agentconsole.ui.asking import Asker

TOGETHER_FAILED = 2
"""From so many failures on they are told on a page, one by one."""


class WorkActions(UndoActions):
    async def ask_words(self, asker: Asker) -> None:
        raise NotImplementedError

    # -- doing it -------------------------------------------------------------------------------------------

    def act_on(self, targets: Sequence[Target], act: Act, said: Safe, *, leaves: bool = False) -> None:
        """Do an act to conversations; ``.`` does it again to what the keyboard is on then.

        Args:
            said: what was done, for the strip.
            leaves: they are not in the view any more, so that the next row's turn comes.
        """
        if targets:
            self.run(partial(self._work, tuple(targets), act, said, self.request(), leaves=leaves))
            if not isinstance(act, Split | Join):
                self.repeats(partial(self._once_more, act, said, leaves))

    async def _once_more(self, act: Act, said: Safe, leaves: bool) -> None:
        self.act_on(self.targets(), act, said, leaves=leaves)

    async def _work(self, targets: tuple[Target, ...], act: Act, said: Safe, request: str, *, leaves: bool) -> None:
        app, queue = self.app, self.app.queue
        here = queue.chosen.conversation if queue.chosen is not None else ConversationId("")
        if leaves and here in {target.conversation for target in targets}:
            queue.closing = here
        try:
            done = await app.desk.work(app.who, request, [target.place for target in targets], act)
        except BaseException:
            queue.closing = ConversationId("")
            raise
        good = [one for one in done if not one.code]
        if here not in {one.target.conversation for one in good}:
            queue.closing = ConversationId("")
        queue.unmark({one.target.conversation for one in good})
        app.view_bar.update()
        self.worked([entry for one in done for entry in one.entries], self._summed(said, len(good), targets))
        self._tell_done(targets, done, said)
        if isinstance(act, SetStatus) and act.status == ConversationStatus.RESOLVED:
            for one in good:
                app.note("closed", customer=one.target.customer)

    def _summed(self, said: Safe, count: int, targets: Sequence[Target]) -> Safe:
        plain = our(said.rstrip("."))
        if len(targets) == 1:
            return our(f"{plain} ({safe(targets[0].name, 40)})")
        return self.app.say("work.many", n=str(count), said=plain)

    def _tell_done(self, targets: Sequence[Target], done: Sequence[Done], said: Safe) -> None:
        """Say what was done, and of each that failed why."""
        app = self.app
        names = {target.conversation: target.name for target in targets}
        bad = [one for one in done if one.code]
        if not bad:
            whole = said if len(done) == 1 else app.say("work.many", n=str(len(done)), said=said)
            app.tell_text(our(f"{whole} {app.say('work.undo')}"), "good")
        elif len(done) == 1:
            app.tell("strip.failed", "bad", message=bad[0].message, hint=bad[0].hint)
        else:
            app.tell("work.partly", "warn", n=str(len(done) - len(bad)), of=str(len(done)), said=said)
        if len(bad) < TOGETHER_FAILED or app.where not in ("list", "conversation"):
            if bad and len(done) > 1:
                name = names.get(bad[0].target.conversation, "")
                app.tell_text(our(f"{app.told} {safe(name, 40)}: {safe(bad[0].message)}"), "warn")
            return
        items = [Item(row((app.say("work.not_done", n=str(len(bad))), "title")))]
        for one in bad:
            name = safe(names.get(one.target.conversation, one.target.customer), 60)
            items.append(Item(row(our(" "), (name, "bold"))))
            why = safe(f"{one.message} {one.hint}".strip(), 400)
            items += [Item(row(our("   "), line)) for line in wrap(why, self.page_width() - 4, 3)]
        app.show_page("told", items)

    # -- marks ----------------------------------------------------------------------------------------------

    def do_mark(self) -> None:
        """Mark the row, or take its mark off, and go to the next one."""
        app = self.app
        if app.queue.chosen is None:
            app.tell("strip.nobody_chosen")
            return
        app.queue.toggle()
        app.queue.move(1)
        app.view_bar.update()

    def unmark(self) -> bool:
        """Take all marks off; say whether there were any."""
        marks = self.app.queue.marks
        if not marks:
            return False
        self.app.queue.unmark(set(marks))
        self.app.view_bar.update()
        return True

    # -- who has it, and how it stands ----------------------------------------------------------------------

    def do_assign(self) -> None:
        targets, me = self.targets(), self.app.who.name
        if targets:
            self.assign(targets, AgentName("") if all(one.assignee == me for one in targets) else me)

    def assign(self, targets: Sequence[Target], assignee: AgentName) -> None:
        say = self.app.say
        said = say("strip.assigned", name=assignee) if assignee else say("strip.released")
        self.act_on(targets, Assign(assignee), said)

    async def do_assign_to(self) -> None:
        targets = self.targets()

        async def take(words: str) -> bool:
            if words:
                self.assign(targets, AgentName(words))
            return True

        if targets:
            await self.ask_words(
                LineAsker(
                    self.app, "assign", take, lambda words: work_asking.completed(words, self.agents()), self._agents
                )
            )

    def agents(self) -> list[str]:
        """Return the agents that are known here."""
        status, lines = self.app.reading.status, self.app.queue.lines()
        found = [*(status.agents if status is not None else ()), self.app.who.name]
        return list(dict.fromkeys([*found, *(line.assignee for _, line in lines if line.assignee)]))

    def _agents(self, words: str) -> Safe:
        return self.app.say("work.offers", some=" / ".join(self.agents()[:8]))

    def do_close(self) -> None:
        self._set_status(ConversationStatus.RESOLVED, "strip.closed")

    def do_reopen(self) -> None:
        self._set_status(ConversationStatus.OPEN, "strip.reopened")

    def _set_status(self, status: ConversationStatus, said: str) -> None:
        app = self.app
        targets = self.targets()
        if app.where == "list" and app.queue.just_stepped and not app.queue.marks:
            app.tell_text(our(f"{app.told} {app.say('strip.dropped')}".strip()), "note")
            return
        left = [target for target in targets if target.status != status]
        self.act_on(left, SetStatus(status), app.say(said), leaves=status == ConversationStatus.RESOLVED)

    async def do_snooze(self) -> None:
        targets = self.targets()
        if targets:
            await self.ask_words(WhenAsker(self.app, "snooze", partial(self._snooze, targets)))

    def _snooze(self, targets: Sequence[Target], until: datetime) -> None:
        said = self.app.say("work.snoozed", time=self.app.say.time_of(until))
        self.act_on(targets, SetStatus(ConversationStatus.SNOOZED, until), said, leaves=True)

    # -- tags, priority, what is put aside ------------------------------------------------------------------

    async def do_tag(self) -> None:
        targets = self.targets()
        if not targets:
            return
        here = {tag for target in targets for tag in target.tags}
        known = {tag for _, line in self.app.queue.lines() for tag in line.tags}
        offered = work_asking.offered_tags(known, here)

        async def take(words: str) -> bool:
            add, remove = work_asking.tags(words)
            if not add and not remove:
                return True
            changed = " ".join([*(f"+{tag}" for tag in add), *(f"-{tag}" for tag in remove)])
            self.act_on(targets, Tag(add, remove), self.app.say("work.tagged", tags=changed))
            return True

        told = self.app.say("work.tags", some=" / ".join(offered[:8])) if offered else self.app.say("work.tag_hint")
        await self.ask_words(
            LineAsker(self.app, "tag", take, lambda words: work_asking.last_word(words, offered), lambda _: told)
        )

    async def do_priority(self) -> None:
        targets, say = self.targets(), self.app.say
        names = [say.priority(one) for one in Priority]

        async def take(words: str) -> bool:
            wanted = work_asking.priority(words, say)
            if wanted is None and words:
                self.app.tell("work.no_priority", "warn", words=words)
                return False
            if wanted is not None:
                self.act_on(targets, Prioritise(wanted), say("work.prioritised", priority=say.priority(wanted)))
            return True

        if targets:
            await self.ask_words(
                LineAsker(
                    self.app,
                    "priority",
                    take,
                    lambda words: work_asking.completed(words, names),
                    lambda _: say("work.offers", some=" / ".join(names)),
                )
            )

    def do_spam(self) -> None:
        self._aside("spam")

    def do_mute(self) -> None:
        self._aside("muted")

    def _aside(self, how: str) -> None:
        targets = self.targets()
        off = bool(targets) and all(target.aside == how for target in targets)
        said = self.app.say("work.not_aside" if off else f"work.{how}")
        self.act_on(targets, PutAside("" if off else how), said, leaves=True)

    def do_block(self) -> None:
        targets = self.targets()
        off = bool(targets) and all(target.aside == "blocked" for target in targets)
        said = self.app.say("work.unblocked" if off else "work.blocked")
        self.act_on(targets, Block(blocked=not off), said, leaves=True)

    # -- tasks, calls, notes --------------------------------------------------------------------------------

    async def do_task(self) -> None:
        targets = self.targets()
        offers = self.app.say("work.tasks").split(work_asking.SEPARATOR)

        async def take(words: str) -> bool:
            if words:
                await self.ask_words(WhenAsker(self.app, "due", partial(self._add_task, targets, words)))
            return not words

        if targets:
            await self.ask_words(
                LineAsker(
                    self.app,
                    "task",
                    take,
                    lambda words: work_asking.completed(words, offers),
                    lambda _: self.app.say("work.offers", some=" / ".join(offers)),
                )
            )

    def _add_task(self, targets: Sequence[Target], text: str, due: datetime) -> None:
        said = self.app.say("work.task", time=self.app.say.time_of(due), text=safe(text, 60))
        self.act_on(targets, AddTask(text, due), said)

    def do_task_done(self) -> None:
        """Finish the next task of the row: each has its own, so that they are done one after another."""
        targets = [target for target in self.targets() if target.task]
        if not targets:
            self.app.tell("work.no_task", "dim")
        for target in targets:
            self.run(
                partial(
                    self._work,
                    (target,),
                    FinishTask(target.task),
                    self.app.say("work.task_done"),
                    self.request(),
                    leaves=True,
                )
            )

    async def do_log(self) -> None:
        targets, say = self.targets(), self.app.say
        names = [say(f"contact.{name}") for name in work_asking.CONTACTS]

        def told(words: str) -> Safe:
            found = work_asking.contact(words, say)
            return say(f"contact.{found}") if found else say("work.offers", some=" / ".join(names))

        async def take(words: str) -> bool:
            found = work_asking.contact(words, say)
            if found:
                await self.ask_words(
                    LineAsker(self.app, "log_text", partial(log, found), told=lambda _: say("work.log_hint"))
                )
            elif words:
                self.app.tell("work.no_contact", "warn", words=words)
            return not words

        async def log(found: str, words: str) -> bool:
            minutes, text = work_asking.minutes(words)
            act = replace(work_asking.CONTACTS[found], minutes=minutes, text=text)
            self.act_on(targets, act, say("work.logged", what=say(f"contact.{found}")))
            return True

        if targets:
            await self.ask_words(
                LineAsker(self.app, "log", take, lambda words: work_asking.completed(words, names), told)
            )

    async def note_on_all(self) -> None:
        """Write one note on everything that is marked."""
        targets = self.targets()

        async def take(words: str) -> bool:
            if words:
                self.act_on(targets, WriteNote(words), self.app.say("strip.note_kept"))
            return True

        await self.ask_words(LineAsker(self.app, "note", take, told=lambda _: self.app.say("work.note_hint")))

    # -- conversations --------------------------------------------------------------------------------------

    def do_split_conversation(self) -> None:
        """Make what is under the cursor, and all after it, a conversation of its own."""
        app, opened = self.app, self.app.reading.opened
        entry, target = app.timeline.chosen_entry, self.target()
        if opened is None or entry is None or target is None:
            return
        name = getattr(entry, "conversation", ConversationId("")) or target.conversation
        whose = dataclasses.replace(target, conversation=opened.customer.joined.get(name, name))
        self.act_on((whose,), Split(EntryId(entry.id)), app.say("work.split"))

    async def do_join_conversation(self) -> None:
        """Show the conversation as part of another of the same customer."""
        app, target = self.app, self.target()
        if target is None:
            return
        opened = app.reading.opened
        if opened is not None and target.customer in (opened.customer.id, *opened.customer.members):
            customer = opened.customer
        else:
            customer = (await app.desk.timeline(app.who, target.customer, EntryId(""), 1)).customer
        here = customer.joined.get(target.conversation, target.conversation)
        others = [known for known in customer.conversations if known.id != here]
        if not others:
            app.tell("work.no_other", "dim")
            return
        names = [
            f"{number} {safe(known.subject or known.preview or app.say.status(known.status), 40)}"
            for number, known in enumerate(others, 1)
        ]

        async def take(words: str) -> bool:
            number = words.split(" ", 1)[0]
            if not words:
                return True
            if not number.isdecimal() or not 1 <= int(number) <= len(others):
                app.tell("work.no_such", "warn", words=words)
                return False
            self.act_on(
                (target,), Join(others[int(number) - 1].id), app.say("work.joined", name=names[int(number) - 1])
            )
            return True

        await self.ask_words(
            LineAsker(
                app,
                "join",
                take,
                lambda words: work_asking.completed(words, names),
                lambda _: app.say("work.offers", some=" / ".join(names[:4])),
            )
        )
