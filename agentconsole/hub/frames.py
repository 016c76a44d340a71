"""How the hub's log tells of a failure: where it happened and of which kind, and never with which values.

The text of an exception can quote a customer's words or address; erasing them could not reach a log.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType


class Frames(logging.Formatter):
    """Formats records like its base, and exceptions without their texts."""

    def formatException(  # noqa: N802 - the name is logging's
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        parts: list[str] = []
        exc = ei[1]
        seen: set[int] = set()
        while exc is not None and id(exc) not in seen:
            seen.add(id(exc))
            frames = "".join(traceback.format_tb(exc.__traceback__))
            parts.append(f"{frames}{type(exc).__module__}.{type(exc).__qualname__}")
            exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
        return "\nafter\n".join(parts)
