"""The hub's log tells where something failed and never with which values."""

from __future__ import annotations

import io
import logging

from agentconsole.hub.frames import Frames

SECRET = "feather4821"


def _fails(text: str) -> None:
    try:
        int(text)
    except ValueError as exc:
        raise RuntimeError(f"about {text}") from exc


def test_an_exception_is_logged_with_its_places_and_kinds_and_without_its_texts():
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(Frames())
    log = logging.Logger("test")
    log.addHandler(handler)
    try:
        _fails(SECRET)
    except RuntimeError as exc:
        log.error("an item of %s cannot be filed", "mail", exc_info=exc)
    line = told.getvalue()
    assert SECRET not in line
    assert "an item of mail cannot be filed" in line
    assert "in _fails" in line
    assert "RuntimeError" in line
    assert "ValueError" in line
