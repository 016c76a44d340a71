"""Finds the installed channel kinds by entry point. Listing imports nothing, loading imports one."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from agentconsole.errors import ConfigError
from agentconsole.ports import ChannelKind

GROUP = "agentconsole.channels"


def _found() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        other = found.get(point.name)
        if other is not None and other.value != point.value:
            raise ConfigError(
                f"Two installed packages claim the channel kind {point.name}: {other.value} and {point.value}.",
                "Remove one of them.",
            )
        found[point.name] = point
    return found


def names() -> list[str]:
    """Return the names of the installed kinds, sorted."""
    return sorted(_found())


def load(name: str) -> ChannelKind[Any]:
    """Import and return one kind.

    Raises:
        ConfigError: it is not installed, cannot be imported, or is no ``ChannelKind``.
    """
    found = _found()
    point = found.get(name)
    if point is None:
        raise ConfigError(f"There is no channel kind {name}.", "Installed: " + ", ".join(sorted(found)))
    try:
        kind = point.load()
    except Exception as exc:
        raise ConfigError(f"The channel kind {name} ({point.value}) cannot be loaded: {exc}.", "Reinstall it.") from exc
    if not isinstance(kind, ChannelKind):
        raise ConfigError(f"The channel kind {name} ({point.value}) is no ChannelKind.", "Ask its author.")
    return kind
