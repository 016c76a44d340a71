"""``config.example.toml`` holds every key that there is, and no other."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agentconsole import bootstrap, config
from agentconsole.channels import registry
from agentconsole.config.convert import core_of, is_struct
from agentconsole.config.keys import keys
from agentconsole.config.options import NOT_KEYS, AccountTable, AgentOptions, Profile, TemplateTable, ViewOptions

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
COMMENTED = re.compile(r"^#(?=[a-z_]+ = |\[)")


OPEN = frozenset({"values", "holidays", "text", "subject", "agent_names", "keymap"})
"""Tables whose keys are the reader's own: names, countries and languages."""


def everything() -> str:
    """The example with every commented key taken in."""
    return "\n".join(COMMENTED.sub("", line) for line in EXAMPLE.read_text(encoding="utf-8").split("\n"))


def leaves(table: dict[str, Any], path: tuple[str, ...] = ()) -> set[str]:
    found: set[str] = set()
    for key, value in table.items():
        here = (*path, key)
        is_secret = isinstance(value, dict) and set(value) <= {"env", "file", "command", "credential"}
        inner = isinstance(value, dict) and not is_secret and key not in OPEN
        found |= leaves(value, here) if inner else {".".join(here)}
    return found


def names(kind: type, leave_out: frozenset[str] = frozenset()) -> set[str]:
    return {".".join(key.path) for key in keys(kind, leave_out)}


def test_the_example_is_right_as_it_stands():
    found = config.load(EXAMPLE)
    (account,) = bootstrap.accounts(found, found.profile(), datetime(2026, 3, 4, tzinfo=UTC))
    assert (account.name, account.kind.name) == ("mail", "email")


def test_the_example_with_everything_taken_in_is_right_too():
    text = everything().replace('extends = "base"', "")
    found = config.parse(text, EXAMPLE)
    accounts = bootstrap.accounts(found, found.profile(), datetime(2026, 3, 4, tzinfo=UTC))
    assert {account.kind.name for account in accounts} == set(registry.names())


def test_it_holds_every_key_of_a_profile_and_no_other():
    profile = tomllib.loads(everything())["profiles"]["support"]
    channels, agents = profile.pop("channels"), profile.pop("agents")
    (template,) = profile.pop("templates").values()
    (view,) = profile.pop("views").values()
    assert channels
    assert leaves(template) == names(TemplateTable)
    assert leaves(view) == names(ViewOptions)
    assert leaves(agents["mina"]) == names(AgentOptions)
    expected = names(Profile, NOT_KEYS[Profile] | {"channels", "agents", "templates", "views"}) | {"extends"}
    assert leaves(profile) == expected


@pytest.mark.parametrize("kind", registry.names())
def test_it_holds_every_key_of_a_kind(kind: str):
    tables = tomllib.loads(everything())["profiles"]["support"]["channels"].values()
    held: set[str] = set()
    for table in tables:
        if table["kind"] == kind:
            held |= leaves(table)
    shared = names(AccountTable, NOT_KEYS[AccountTable])
    assert held - shared == names(registry.load(kind).options)


def test_the_keys_that_all_accounts_share_are_there():
    mail = tomllib.loads(everything())["profiles"]["support"]["channels"]["mail"]
    assert names(AccountTable, NOT_KEYS[AccountTable]) <= set(mail)


def test_a_commented_key_shows_its_default_unless_the_text_says_example():
    defaults = {key.path[-1]: key.default for key in keys(Profile) if key.default is not None}
    comment, wrong = "", []
    for line in EXAMPLE.read_text(encoding="utf-8").split("\n# ---- accounts")[0].split("\n"):
        if match := re.match(r"#([a-z_]+) = (.*)", line):
            shown = defaults.get(match[1])
            if "xample" not in comment and shown is not None and match[2] != shown:
                wrong.append(line)
        elif line.startswith("# "):
            comment += line
        else:
            comment = ""
    assert wrong == []


def test_every_key_says_what_it_does():
    silent = [key.path for kind in (Profile, AccountTable) for key in keys(kind, NOT_KEYS[kind]) if not key.description]
    for name in registry.names():
        silent += [key.path for key in keys(registry.load(name).options) if not key.description]
    assert silent == []
    assert not is_struct(core_of(str))
