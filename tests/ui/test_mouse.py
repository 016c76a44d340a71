"""The mouse: off over SSH by itself, clicks choose, the wheel scrolls, and no motion is asked for."""

from __future__ import annotations

import pytest
from textual.events import MouseScrollDown

from agentconsole.cli import consoling
from agentconsole.config.options import Profile, UiOptions
from agentconsole.ui import mouse
from tests.ui.console import running
from tests.ui.desk_double import DeskDouble, emily


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


@pytest.mark.parametrize(
    ("asked", "environ", "taken"),
    [
        ("auto", {}, True),
        ("auto", {"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}, False),
        ("auto", {"SSH_TTY": "/dev/pts/1"}, False),
        (True, {"SSH_TTY": "/dev/pts/1"}, True),
        (False, {}, False),
    ],
)
def test_auto_takes_the_mouse_only_where_no_network_lies_between(
    asked: bool | str, environ: dict[str, str], taken: bool
) -> None:
    assert consoling.mouse(Profile(ui=UiOptions(mouse=asked)), environ) is taken  # type: ignore[arg-type]


async def test_click_chooses_and_does_not_open(desk: DeskDouble) -> None:
    async with running(desk, mouse=True) as console:
        await console.press("home")
        await console.pilot.click(console.app.queue, offset=(4, 4))
        await console.until(lambda: console.app.queue.cursor == 2)
        assert console.app.where == "list"


async def test_wheel_scrolls_and_leaves_the_cursor(desk: DeskDouble) -> None:
    async with running(desk, size=(80, 16), mouse=True) as console:
        await console.press("?")
        await console.until(lambda: console.app.page_kind == "help")
        page = console.app.page
        at = (1, 1, 0, 1, 0, False, False, False)
        page.post_message(MouseScrollDown(page, *at))
        await console.until(lambda: round(page.scroll_y) == 3)


async def test_no_motion_is_asked_for(desk: DeskDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("agentconsole.ui.app.Console.write", lambda _, sequence: written.append(sequence))
    async with running(desk, mouse=True) as console:
        assert mouse.CLICKS in written
        assert "1003l" in mouse.CLICKS
        written.clear()
        console.app.app_resume_signal.publish(console.app)
        await console.until(lambda: mouse.CLICKS in written)
    written.clear()
    async with running(desk):
        assert mouse.CLICKS not in written
