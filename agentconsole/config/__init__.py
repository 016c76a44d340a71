"""What the configuration may say, and reading it with every mistake told at once.

A lower layer: it knows no channel, no store and no hub. An account's own keys stay a plain table here;
``bootstrap`` gives them the type of the account's kind.
"""

from agentconsole.config.convert import Problem, convert
from agentconsole.config.options import (
    AccountTable,
    AgentOptions,
    HubOptions,
    ListenerOptions,
    Profile,
    UiOptions,
    cutoff,
)
from agentconsole.config.place import find, nearest_place
from agentconsole.config.reader import Config, empty, load, parse

__all__ = [
    "AccountTable",
    "AgentOptions",
    "Config",
    "HubOptions",
    "ListenerOptions",
    "Problem",
    "Profile",
    "UiOptions",
    "convert",
    "cutoff",
    "empty",
    "find",
    "load",
    "nearest_place",
    "parse",
]
