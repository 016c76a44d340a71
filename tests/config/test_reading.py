"""What the configuration takes, and how it tells mistakes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, get_args

import msgspec
import pytest

from agentconsole import bootstrap, config
from agentconsole.config.keys import keys
from agentconsole.config.options import GuardName, RuleName
from agentconsole.domain import guards
from agentconsole.domain.fallback import Automatic
from agentconsole.domain.model import Medium
from agentconsole.domain.preference import ORDER_OUTBOUND, ORDER_REPLY, RULES
from agentconsole.errors import ConfigError
from agentconsole.ports import Options, Secret

PATH = Path("/etc/agentconsole/config.toml")


def told(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.parse(text, PATH)
    assert caught.value.exit_code == 2
    return caught.value.message.replace(f"{PATH}:", "").split("\n")


def test_a_profile_with_nothing_but_its_name_has_every_default():
    found = config.parse("[profiles.support]", PATH)
    profile = found.profile()
    assert (profile.name, profile.exchange_minutes, profile.reopen_days) == ("support", 15, 7)
    assert (profile.hub.linger_minutes, profile.http.host, profile.store) == (10, "127.0.0.1", "")


def test_every_mistake_is_told_at_once_with_line_key_and_nearest_key():
    assert told(
        """\
default_profile = "suport"

[profiles.base]
timezon = "Asia/Seoul"
language = "kr"
exchange_minutes = "15"

[profiles.support]
extends = "base"
hub.linger_minutes = -1
timezone = "Asia/Seol"
[profiles.support.http]
port = 99999
[profiles.support.agents.bob]
rights = ["read",
          "replay"]
[profiles.support.channels.mail]
kin = "email"
since = "30 days"
"""
    ) == [
        "The configuration has 10 mistakes; nothing was started or changed.",
        "1: default_profile: there is no profile suport (nearest: support).",
        "4: profiles.base.timezon: unknown key (nearest: timezone).",
        '5: profiles.base.language: must be one of "", "en", "ko".',
        '6: profiles.base.exchange_minutes: must be a whole number, not text in "quotes".',
        "10: profiles.support.hub.linger_minutes: must be at least 0.",
        "11: profiles.support.timezone: there is no time zone Asia/Seol (nearest: Asia/Seoul).",
        "13: profiles.support.http.port: must be at most 65535.",
        '15: profiles.support.agents.bob.rights: must be one of "read", "reply", "customer", "operate" '
        "(nearest: reply).",
        "17: profiles.support.channels.mail: the key kind is missing.",
        '19: profiles.support.channels.mail.since: "30 days" does not fit. '
        "Older messages are history: 30d, 12h, 2w, a date such as 2026-01-31, or all.",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[profiles.a]\nstore = "tinydb:x"\nlanguage = en\n', "3: Invalid value."),
        ("[profiles.a]\nas_names = [\n", "2: "),
        ('[profiles.a]\nstore = "x"\nstore = "y"\n', "3: Cannot overwrite a value."),
    ],
)
def test_broken_toml_names_the_line(text: str, line: str):
    first, second = told(text)
    assert first == "The configuration is not valid TOML; nothing was started or changed."
    assert second.startswith(line)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[profiles.a]\nstore = "postgres:x"', '2: profiles.a.store: must read "tinydb:FOLDER".'),
        ("[profile.a]", "1: profile: unknown key (nearest: profiles)."),
        ("profiles = 3", "1: profiles: must hold one table for each profile: [profiles.NAME]."),
        (
            '[profiles.a]\nextends = "b"\n[profiles.b]\nextends = "a"',
            "2: profiles.a.extends: b extends a extends b, which is",
        ),
        ('[profiles.a]\nextends = "nobody"', "2: profiles.a.extends: there is no profile nobody."),
        ('[profiles."a b"]', '1: profiles."a b": a profile\'s name has letters, digits, - and _ only.'),
        ('[profiles.a]\nname = "b"', "2: profiles.a.name: unknown key (the header names the profile)."),
        ("[profiles.a]\nchannels = []", "2: profiles.a.channels: must be a table, not a list"),
    ],
)
def test_single_mistakes(text: str, expected: str):
    assert any(line.startswith(expected) for line in told(text)), told(text)


def test_a_profile_may_extend_another_and_says_only_what_differs():
    found = config.parse(
        """
[profiles.base]
store = "tinydb:data"
language = "ko"
[profiles.base.hub]
linger_minutes = 3
as_names = ["mina"]
[profiles.base.channels.mail]
kind = "email"
address = "a@example.com"
imap = { host = "one", password = { env = "A" } }
[profiles.trial]
extends = "base"
[profiles.trial.hub]
linger_minutes = 0
[profiles.trial.channels.mail]
read_only = true
imap = { password = { file = "/b" } }
[profiles.other]
extends = "trial"
[profiles.other.channels.mail]
kind = "twilio"
sender = "+1"
""",
        PATH,
    )
    trial = found.profile("trial")
    assert (trial.store, trial.language) == ("tinydb:/etc/agentconsole/data", "ko")
    assert (trial.hub.linger_minutes, trial.hub.as_names) == (0, ["mina"])
    mail = trial.channels["mail"]
    assert (mail.kind, mail.read_only, mail.options["address"]) == ("email", True, "a@example.com")
    assert mail.options["imap"] == {"host": "one", "password": {"file": "/b"}}, "a secret is replaced as a whole"
    assert found.profile("other").channels["mail"].options == {"sender": "+1"}, "so is an account of another kind"


def test_a_mistake_in_an_extended_profile_is_told_once_and_where_it_stands():
    lines = told('[profiles.a]\nlanguage = "xx"\n[profiles.b]\nextends = "a"\n[profiles.c]\nextends = "b"\n')
    assert lines[1:] == ['2: profiles.a.language: must be one of "", "en", "ko".']


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    host: Annotated[str, msgspec.Meta(description="where it is")]
    password: Secret
    port: int = 25

    def __post_init__(self) -> None:
        if " " in self.host:
            raise ValueError("host has a space")


class PaperOptions(Options, frozen=True, kw_only=True):
    server: Server
    second: Server | None = None
    names: tuple[str, ...] = ()


def test_an_accounts_own_keys_are_checked_the_same_way():
    table = {
        "server": {"hots": "x", "password": "hunter2"},
        "second": {"host": "a b", "password": {"env": "X"}},
        "names": [1],
        "sinse": "3d",
    }
    value, problems = config.convert(table, PaperOptions, ("here",), also=("since",))
    assert value is None
    assert [(".".join(p.path), p.message) for p in problems] == [
        ("here.server.hots", "unknown key (nearest: host)"),
        (
            "here.server.password",
            'a secret must not stand here in clear; write { env = "NAME" } or { file = "PATH" }',
        ),
        ("here.server", "the key host is missing"),
        ("here.second", "host has a space"),
        ("here.names", 'must be text in "quotes", not a whole number'),
        ("here.sinse", "unknown key (nearest: since)"),
    ]


def test_an_account_with_right_keys_gets_its_type_and_its_secret_stays_hidden(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    table = {"server": {"host": "h", "password": {"env": "MAIL_PASSWORD"}}}
    value, problems = config.convert(table, PaperOptions)
    assert (problems, value.server.port, value.second) == ([], 25, None)
    assert value.server.password.reveal() == "hunter2"
    assert "hunter2" not in repr(value)


def test_the_keys_of_a_kind_are_data_for_wizard_and_docs():
    found = {".".join(key.path): key for key in keys(PaperOptions)}
    assert list(found) == [
        "server.host",
        "server.password",
        "server.port",
        "second.host",
        "second.password",
        "second.port",
        "names",
    ]
    host, port = found["server.host"], found["server.port"]
    assert (host.type, host.optional, host.description) == ("text", False, "where it is")
    assert (port.type, port.default, port.optional) == ("whole number", "25", True)
    assert found["second.host"].optional, "the whole table may be left out"
    assert found["server.password"].secret


NOW = datetime(2026, 3, 4, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("30d", datetime(2026, 2, 2, 14, tzinfo=UTC)),
        ("12h", datetime(2026, 3, 4, 2, tzinfo=UTC)),
        ("2w", datetime(2026, 2, 18, 14, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("all", None),
    ],
)
def test_since(since: str, expected: datetime | None):
    assert config.cutoff(since, NOW) == expected


def test_a_date_that_does_not_exist_is_a_mistake():
    lines = told('[profiles.a.channels.m]\nkind = "email"\nsince = "2026-13-45"\n')
    assert lines[1:] == ["3: profiles.a.channels.m.since: there is no date 2026-13-45."]


def test_where_the_file_is_looked_for(tmp_path: Path):
    named, variable = tmp_path / "named.toml", tmp_path / "variable.toml"
    xdg = tmp_path / "xdg" / "agentconsole" / "config.toml"
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "HOME": str(tmp_path)}
    assert config.find("", environ) is None
    for path in (named, variable, xdg):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.touch()
    assert config.find("", environ) == xdg
    environ["AGENTCONSOLE_CONFIG"] = str(variable)
    assert config.find("", environ) == variable
    assert config.find(str(named), environ) == named
    variable.unlink()
    with pytest.raises(ConfigError, match=r"\$AGENTCONSOLE_CONFIG"):
        config.find("", environ)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        config.load(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path / "absent.toml")


def test_without_a_file_any_profile_only_attaches():
    assert config.empty().profile("support").store == ""
    assert config.empty().profile().channels == {}


def test_an_unknown_profile_names_the_nearest():
    found = config.parse("[profiles.support]\n[profiles.sales]", PATH)
    with pytest.raises(ConfigError, match="no default_profile"):
        found.profile()
    with pytest.raises(ConfigError) as caught:
        found.profile("suport")
    assert caught.value.hint == "The nearest is support."


def test_a_rule_of_the_choice_that_is_none_is_named_with_the_nearest():
    text = '[profiles.a.choice]\norder = ["stated", "learnt"]\n'
    assert [line for line in told(text) if line.startswith("2: profiles.a.choice.order: must be one of")]
    assert any("(nearest: learned)" in line for line in told(text))


def test_the_rules_of_the_choice_are_those_of_the_domain():
    assert frozenset(get_args(RuleName)) == RULES


def test_a_profile_brings_its_orders_the_shares_and_what_goes_by_itself(tmp_path: Path):
    (tmp_path / "own.toml").write_text(
        '[[shares]]\ncountry = "NZ"\nmedium = "sms"\nshare = 0.5\nof = "people"\nsource = "us"\nas_of = "2026"\n'
    )
    text = (
        '[profiles.a.choice]\norder = ["stated"]\nregions = "own.toml"\n'
        '[profiles.a.fallback]\nautomatic = ["email"]\nminutes = 3\n[profiles.b]\n'
    )
    found = config.parse(text, tmp_path / "c.toml")
    own = bootstrap.hub_profile(found.profile("a"), solo=False, environ={})
    assert (own.policy.order, own.policy.outbound) == (("stated",), ORDER_OUTBOUND)
    assert [share.country for share in own.policy.shares] == ["NZ"]
    assert own.fallback == Automatic((Medium("email"),), 3)
    usual = bootstrap.hub_profile(found.profile("b"), solo=False, environ={})
    assert usual.policy.order == ORDER_REPLY
    assert {"BR", "JP"} <= {share.country for share in usual.policy.shares}
    assert usual.fallback.media == ()


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(a+)+b", "repeats without a bound"),
        ("[0-9]*x", "repeats without a bound"),
        ("a{3,}", "repeats without a bound"),
        ("(ab){2,9}c", "repeats a group"),
        ("a{0,60}a{0,60}a{0,60}b", "too many ways"),
        ("a{1,999}", "more than 200 times"),
        (r"(a)\\1", "refers back"),
        ("(?=a)b", "special kind"),
        ("a?", "matches nothing"),
        ("[", "no regular expression"),
        ("", "1 to 200 characters"),
        ("x" * 201, "1 to 200 characters"),
    ],
)
def test_a_pattern_that_could_take_long_or_match_everywhere_is_refused(pattern: str, told: str):
    text = (
        f'[profiles.a]\nstore = "tinydb:x"\n[profiles.a.guards]\nnumbers = [{{ name = "n", pattern = "{pattern}" }}]\n'
    )
    with pytest.raises(ConfigError, match=told):
        config.parse(text, PATH)


def test_patterns_with_bounds_are_taken_and_names_are_unique():
    facts = r"""[profiles.a]
facts = [{ name = "serial", pattern = 'S/?N (?P<value>[A-Z]{1,4}-?[0-9]{3,12})', en = "serial number" }, %s]
"""
    found = config.parse(facts % r"{ name = 'place', pattern = '\b\d{5}\b' }", PATH)
    assert [fact.name for fact in found.profiles["a"].facts] == ["serial", "place"]
    with pytest.raises(ConfigError, match="two of the name serial"):
        config.parse(facts % "{ name = 'serial', pattern = 'x' }", PATH)
    with pytest.raises(ConfigError, match="phone is known already"):
        config.parse(facts % "{ name = 'phone', pattern = 'x' }", PATH)


def test_the_guards_of_the_configuration_are_those_of_the_domain():
    assert get_args(GuardName) == guards.ALL
