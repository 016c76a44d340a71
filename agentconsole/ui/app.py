"""The console's frame: what stands where, which key does what, how it starts and ends.

What is read lives in ``reading``, what is written in ``writing``; both hold state and call the Desk, widgets only
draw. Every Desk call runs in a worker, so that a slow line never holds up a key.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from textual import events
from textual.app import App, ComposeResult, ScreenStackError
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.filter import LineFilter
from textual.geometry import Size
from textual.widget import Widget
from textual.worker import Worker

from agentconsole.desk import Agent, Desk, QueuePage
from agentconsole.errors import AgentConsoleError, HubAbsent
from agentconsole.ui import keys, look, mouse
from agentconsole.ui.acting import Acting
from agentconsole.ui.bars import Bars
from agentconsole.ui.company import Company
from agentconsole.ui.draw import Row, Safe, Tripwire, our, row
from agentconsole.ui.ending import ending
from agentconsole.ui.entries import Look
from agentconsole.ui.keyboard import Keyboard
from agentconsole.ui.locking import Lock
from agentconsole.ui.noticing import Notices
from agentconsole.ui.reading import Reading
from agentconsole.ui.say import Say
from agentconsole.ui.settings import UiSettings
from agentconsole.ui.starting import first_page, import_later, place
from agentconsole.ui.widgets.bar import Bar
from agentconsole.ui.widgets.paper import Item, Paper
from agentconsole.ui.widgets.queue import Queue
from agentconsole.ui.widgets.timeline import Timeline
from agentconsole.ui.writing import Writer

NARROW: Final = 80
MIDDLE: Final = 100
WIDE: Final = 140
RAIL: Final = 25
RAIL_MIDDLE: Final = 38
CARD: Final = 42
SMALLEST: Final = (60, 12)
TALL: Final = 36
REPLY: Final = 9
HUB_GONE_LONG: Final = 10
"""Seconds after which it is said how to get one: a service that restarts is faster."""
REPLY_TALL: Final = 14
REPLY_LEAST: Final = 5
OTHERS: Final = 8
"""Lines that the reply leaves to header, customer, some of the timeline, strip and footer."""

LEAVE_SECONDS: Final = 0.6
GUARD_SECONDS: Final = 0.7
"""After the view changed without being asked, keys were meant for what stood there before."""

Page: TypeAlias = Callable[[int], Sequence[Item]]
"""What makes the lines of a page for a width in cells."""

if TYPE_CHECKING:
    from textual.widgets import TextArea


class Console(App[None]):
    """The Textual app.

    Args:
        desk: what an agent can do; the only thing the console knows of the world.
        who: in whose name.
        first: the first page of the queue, where it is known already.
    """

    CSS = """
    Screen { background: ansi_default; color: ansi_default; layers: default cover; }
    #body { height: 1fr; }
    #rail { height: 1fr; }
    #main { width: 1fr; height: 1fr; }
    #card, #page, #suggest, #coach, #banner, #damage { display: none; }
    #ask, #top { height: 1; }
    #clock { width: 7; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = []
    AUTO_FOCUS = None
    INLINE_PADDING = 0

    def __init__(self, desk: Desk, who: Agent, settings: UiSettings, first: QueuePage | None = None) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-light" if settings.theme == "light" else "ansi-dark"
        self.animation_level = "none"
        self.desk, self.who, self.settings = desk, who, settings
        self.say = Say(settings.language, settings.timezone, settings.glyphs, settings.keymap)
        self.look = look.theme(settings.theme, no_color=self.no_color)
        self.reading = Reading(self)
        self.company = Company(self)
        self.writer = Writer(self)
        self.acting = Acting(self)
        self.keyboard = Keyboard(self)
        self.bars = bars = Bars(self)
        self.header = Bar(bars.header, over="bar", id="header")
        self.clock_bar = Bar(bars.clock, over="bar", id="clock")
        self.view_bar = Bar(bars.view, id="view")
        self.queue = Queue(self.say, settings.clock, who.name, id="queue")
        self.head = Bar(bars.head, lines=2, id="head")
        self.banner = Bar(bars.banner, id="banner")
        self.damage = Bar(bars.damage, id="damage")
        self.suggest = Bar(bars.suggestion, id="suggest")
        self.timeline = Timeline(Look(self.say, 40), id="timeline")
        self.below = Bar(bars.below, id="below")
        self.page = Paper(id="page")
        self.card = Paper(id="card", edge=True)
        self.strip = Bar(bars.strip, id="strip")
        self.coach = Bar(bars.coach, id="coach")
        self.footer = Bar(bars.footer, id="footer")
        self.notices = Notices(self)
        self.lock = Lock(self)
        self.page_kind = ""
        self.coach_hidden = False
        self.hub_gone_since: float | None = None
        self._first = first
        self.message: Row = ()
        self.told_key = ""
        self._return_to: Widget | None = None
        self._page: Page | None = None
        self._guard_until = 0.0
        self._guard_said = False
        self._ending = False
        self._listening = False
        self.touched = False
        self.last_key = time.monotonic()
        self._ages_stale = False
        self.zoomed = False
        self.boxes_ready = asyncio.Event()
        self._warm = False
        self.failure = ""

    # -- frame ----------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        self._paper()
        with Horizontal(id="top"):
            yield self.header
            if self.settings.show_clock:
                yield self.clock_bar
        yield self.banner
        with Horizontal(id="body"):
            with Vertical(id="rail"):
                yield self.view_bar
                yield self.queue
            with Vertical(id="main"):
                yield self.head
                yield self.damage
                yield self.suggest
                yield self.timeline
                yield self.below
            yield self.card
            yield self.page
        yield self.strip
        yield self.coach
        yield self.footer
        yield self.lock.cover

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), Tripwire()]

    def on_mount(self) -> None:
        self.arrange(self.size)
        self.queue.focus(scroll_visible=False)
        if self._first is not None:
            self.reading.begin_with(self._first)
        self.start(self.reading.follow, "news")
        self._listening = True
        if self.settings.mouse:
            mouse.begin(self)
        self._schedule_minute()
        self.company.begin()
        self.lock.begin()
        self.call_after_refresh(self._warm_up)

    def wear(self, theme: look.Theme) -> None:
        """Draw in the colours of a theme from now on."""
        self.look = theme
        self.theme = "ansi-light" if theme.name == "light" else "ansi-dark"
        self._paper()
        self.refresh(layout=True)

    def _paper(self) -> None:
        """Colour what no pane draws: between the panes, and the boxes that text is typed in."""
        self.screen.styles.color = self.look.text or "ansi_default"
        self.screen.styles.background = self.look.paper or "ansi_default"

    def _warm_up(self) -> None:
        """Load what the first reply needs once the first screen stands."""
        if self._warm:
            return
        self._warm = True
        if not self.is_headless:  # many apps in one process: freezing would keep whatever the earlier ones left
            gc.freeze()
        gc.enable()
        self.start(self._load_later, "warm")

    async def boxes(self) -> None:
        """Wait for what a box needs. A key may want one before the first screen stands, and what is done after that
        screen comes only after the key."""
        self._warm_up()
        await self.boxes_ready.wait()

    async def _load_later(self) -> None:
        await asyncio.to_thread(import_later)
        self.say.numbers_ready = True
        self.boxes_ready.set()
        for bar in (self.head, self.suggest):
            bar.update()
        self.reading.draw_card()

    def _schedule_minute(self) -> None:
        now = self.settings.clock()
        self.set_timer(60.05 - now.second - now.microsecond / 1e6, self._minute)

    def _minute(self) -> None:
        self._ages_stale = True
        if self.settings.show_clock:
            self._renew_ages()
        if self.writer.now is not None and self.writer.now.outlived(self.settings.clock()):
            self.writer.choose()
        self.acting.minute()
        self._schedule_minute()

    def _renew_ages(self) -> None:
        """Draw what says how long ago something was; without a clock only once somebody is there."""
        self._ages_stale = False
        self.header.update()
        self.clock_bar.update()
        self.queue.refresh_changed()
        self.writer.update()

    def on_resize(self, event: events.Resize) -> None:
        if self._listening:
            self.arrange(event.size)
            if self.page_kind and self._page is not None:
                self.page.show(self._page(event.size.width - 2), keep=True)

    def on_queue_need(self, message: Queue.Need) -> None:
        self.start(partial(self.reading.more_rows, message.number), f"rows{message.number}")

    def on_timeline_older(self) -> None:
        self.start(self.reading.older, "older")

    def on_timeline_newer(self) -> None:
        self.start(self.reading.newer, "older")

    def on_timeline_moved(self) -> None:
        self.reading.scrolled()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if not self.is_running or self._ending:
            return
        if event.text_area.id == "prompt":
            self.acting.prompt_changed()
        else:
            self.writer.changed()

    def on_box_left(self) -> None:
        if self.is_running and self.writer.is_open:
            self.writer.keep_soon(0.0)

    def on_descendant_focus(self) -> None:
        if self._listening and self.screen_stack:
            self.arrange(self.size)
            self.footer.update()

    @property
    def mode(self) -> str:
        """How much fits: ``narrow`` one pane at a time (or asked for: zoom), ``rail`` list and conversation, ``wide``
        the card too.
        """
        return self._mode(self.size.width)

    def _mode(self, width: int) -> str:
        return "narrow" if self.zoomed or width < NARROW else "wide" if width >= WIDE else "rail"

    def arrange(self, size: Size) -> None:
        """Show and size the panes for a window size and for what has the keyboard."""
        width, height = size
        paged = bool(self.page_kind)
        in_list = self.focused is self.queue or (self.focused is None and self.reading.opened is None)
        rail = self.query_one("#rail")
        mode = self._mode(width)
        single = mode == "narrow"
        rail.display = not paged and (not single or in_list)
        rail.styles.width = "1fr" if single else RAIL if width < MIDDLE else RAIL_MIDDLE
        self.query_one("#main").display = not paged and (not single or not in_list)
        self.card.display = not paged and mode == "wide"
        self.card.styles.width = CARD
        self.page.display = paged
        pane = self.writer.pane
        if pane is not None:
            base = REPLY if height < TALL else REPLY_TALL
            pane.styles.height = max(min(base + pane.extra_lines, height - OTHERS), REPLY_LEAST)
        self.damage.display = self.reading.damage is not None
        opened = self.reading.opened
        asked = self.reading.suggestion is not None or self.reading.wish is not None
        # Its keys are letters: beside a text they would only be typed, and the text needs the lines more.
        typing = height < TALL and (self.where == "box" or (pane is not None and pane.list_lines > 0))
        self.suggest.display = (asked and not typing) or (opened is not None and bool(opened.closed))
        self.coach.display = bool(self.bars.coach_text())
        self.timeline.can_focus = self.reading.opened is not None

    def look_width(self) -> int:
        """Return how many cells an entry has: the timeline's width without the cursor's column."""
        width = self.timeline.view.width or (self.size.width - (0 if self.mode == "narrow" else RAIL))
        return max(width - 2, 20)

    # -- strips and pages -----------------------------------------------------------------------------------

    def tell(self, key: str, style: str = "", /, **values: str) -> None:
        """Say something in the strip: what happened, what holds, which key."""
        self.tell_text(self.say(key, **values), style)
        self.told_key = key

    def tell_text(self, text: Safe, style: str = "") -> None:
        self.message, self.told_key = row((text, style)) if text else (), ""
        if not text:
            self.strip.set_lines(1)
        self.strip.update()

    def tell_error(self, error: AgentConsoleError) -> None:
        self.tell("strip.failed", "bad", message=error.message, hint=self.acting.line.on_line(error.hint))

    @property
    def told(self) -> str:
        """What the strip says."""
        return self.message[0][0] if self.message else ""

    def show_banner(self, code: str) -> None:
        """Show what concerns the whole hub for as long as it lasts."""
        if code != self.bars.banner_code:
            self.bars.banner_code = code
            self.banner.display = bool(code)
            self.banner.update()

    def greet(self) -> None:
        """Draw again what stands where no conversation does."""
        if self.reading.opened is None:
            self.head.update()
            self.view_bar.update()

    def note(self, event: str, **facts: str) -> None:
        """Tell the coach what really happened, and show what it says now."""
        coach = self.settings.coach
        if coach is None:
            return
        coach.note(event, **facts)
        self.coach.display = bool(self.bars.coach_text())
        self.coach.update()

    def show_page(self, kind: str, items: Sequence[Item] | Page, *, keep: bool = False) -> None:
        """Show a page in place of the panes; back returns to where the keyboard was.

        Args:
            items: its lines, or what makes them for a width; only the latter are made again for another window.
        """
        if not self.page_kind:
            self._return_to = self.acting.asked_from if self.writer.prompting else self.focused
        self.page_kind = kind
        self._page = items if callable(items) else None
        self.arrange(self.size)
        self.page.show(items(self.acting.page_width()) if callable(items) else items, keep=keep)
        if not self.writer.prompting:
            self.page.focus(scroll_visible=False)

    def close_page(self) -> None:
        if not self.page_kind:
            return
        self.page_kind, self._page = "", None
        back, self._return_to = self._return_to, None
        self.page.show(())
        self.focus_on(back if back is not None and back.is_mounted else self.queue)

    def focus_on(self, widget: Widget) -> None:
        """Give the keyboard to a pane, which may have to be shown first."""
        if widget is self.timeline:
            self.timeline.can_focus = True
        elif widget is self.queue:
            self.reading.cover()
        widget.display = True
        if self.mode == "narrow":
            self.query_one("#rail").display = widget is self.queue
            self.query_one("#main").display = widget is not self.queue
        self.screen.set_focus(widget, scroll_visible=False)
        self.arrange(self.size)
        self.footer.update()

    def guard(self) -> None:
        """The keyboard moves without being asked: drop what was typed for where it was."""
        self._guard_until = time.monotonic() + GUARD_SECONDS
        self._guard_said = False

    # -- keys -----------------------------------------------------------------------------------------------

    @property
    def where(self) -> str:
        """The context that the keyboard is in."""
        focused = self.focused
        if focused is not None and focused.id in ("box", "prompt"):
            return focused.id
        if focused is self.page or focused is self.card:
            return "paper"
        return "conversation" if focused is self.timeline else "list"

    async def on_event(self, event: events.Event) -> None:
        if not self._listening or event.is_forwarded:
            await super().on_event(event)
        elif isinstance(event, events.AppFocus | events.AppBlur):
            # Textual would take the focus off the pane, and repaint, whenever another window is looked at.
            self.notices.focus(isinstance(event, events.AppFocus))
        elif await self.lock.takes(event) or (isinstance(event, events.Paste) and self.keyboard.pasted(self.where)):
            return
        elif not isinstance(event, events.Key) or not await self._keyed(event):
            await super().on_event(event)

    def write(self, sequence: str) -> None:
        """Send something to the terminal that is no drawing; see ``outside``."""
        if self._driver is not None and not self._ending:
            self._driver.write(sequence)

    async def _keyed(self, event: events.Key) -> bool:
        """Run what a key means here; say whether it was used up."""
        where = self.where
        typed = event.character if event.is_printable else None
        if self._guard_until and (typed or event.key in ("enter", "backspace")):
            if time.monotonic() < self._guard_until:
                if not self._guard_said:
                    self._guard_said = True
                    self.tell_text(our(f"{self.told} {self.say('strip.dropped')}".strip()), "note")
                return True
            self._guard_until = 0.0
        self.touched = True
        self.last_key = time.monotonic()
        self.lock.touched()
        self.notices.back()
        if self._ages_stale:
            self._renew_ages()
        name = typed or event.key
        if self.acting.question is not None and where in keys.READING:
            self.acting.answered(name)
            return True
        return await self.keyboard.takes(where, event.key, typed)

    async def act(self, action: keys.Action) -> None:
        """Run an action of the registry."""
        method: Callable[..., Awaitable[None] | None] = self.acting.method(action.id)
        result = method(action.argument) if action.argument else method()
        if result is not None:
            await result
        if action.repeats:
            self.acting.repeats(partial(self.act, action))

    # -- calls to the hub -----------------------------------------------------------------------------------

    def start(self, work: Callable[[], Coroutine[Any, Any, None]], group: str, *, exclusive: bool = True) -> None:
        """Run something that calls the hub beside the keys.

        Args:
            group: a newer piece of work of the same group ends an older one, where ``exclusive``.
        """

        async def guarded() -> None:
            await self._guarded(work)

        _: Worker[None] = self.run_worker(guarded, group=group, exclusive=exclusive)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except HubAbsent:
            self.hub_gone()
        except AgentConsoleError as error:
            self.tell_error(error)
        except (NoMatches, ScreenStackError):
            if self.is_running:
                raise  # else the answer came when the screen was already taken down

    def hub_gone(self) -> None:
        if self.hub_gone_since is None:
            self.hub_gone_since = time.monotonic()
        seconds = max(int(time.monotonic() - self.hub_gone_since), 1)
        # Where one may be started, that command starts it; else it says whose it is.
        self.tell("strip.hub_gone_long" if seconds >= HUB_GONE_LONG else "strip.hub_gone", "bad", seconds=str(seconds))
        self.header.update()

    def hub_back(self) -> None:
        """The hub answered; keep what could not be kept meanwhile."""
        if self.hub_gone_since is None:
            return
        self.hub_gone_since = None
        self.tell("strip.hub_back", "good")
        self.header.update()
        self.writer.keep_all()

    # -- the end --------------------------------------------------------------------------------------------

    async def end(self, code: int = 0) -> None:
        """Keep every draft, then leave; within a second whatever the hub does."""
        if self._ending:
            return
        self._ending = True
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self.writer.flush()
        except (TimeoutError, AgentConsoleError):
            pass
        self.exit(return_code=code)

    def _handle_exception(self, error: Exception) -> None:
        """Leave with one line: a traceback with local variables would print what customers wrote."""
        if self.is_headless:
            self._exception = error
            self._exception_event.set()
        self.failure = f"{type(error).__name__} in {place(error)}"
        self._ending = True
        self.exit(return_code=1)


async def run_console(desk: Desk, who: Agent, settings: UiSettings) -> int:
    """Run the console in this terminal until it is left; return the exit code.

    A hang-up, a termination or the end of input keeps the draft and ends the process's part within a second.
    """
    # Time zones are read from disk once and then remembered.
    # Nothing that start-up makes is garbage; ``_warm_up`` lets the collector go on.
    gc.disable()
    asked = asyncio.ensure_future(first_page(desk, who))
    await asyncio.to_thread(Say, settings.language, settings.timezone)
    app = Console(desk, who, settings, await asked)
    with ending(app):
        await app.run_async(mouse=settings.mouse)
    if app.failure:
        print(app.say("end.failed", where=app.failure), file=sys.stderr)  # noqa: T201 - the screen is gone
    return app.return_code or 0
