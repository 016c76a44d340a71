"""The keys of a profile, each with what it does. ``config.example.toml`` shows them all; a test compares the two."""

# Annotations are values here: as text, evaluating them is a third of what reading a configuration costs.
import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias, get_args

from msgspec import Meta, Struct, field


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class HubOptions(_Table, frozen=True, kw_only=True):
    linger_minutes: Annotated[
        float,
        Meta(ge=0, description="How long a hub that a console started stays after the last console has left."),
    ] = 10
    socket: Annotated[
        str,
        Meta(description="Where the hub listens and where commands look for it; empty: in the store, or /run."),
    ] = ""
    group: Annotated[
        str,
        Meta(description="The Unix group whose members may attach; empty: only the account that runs the hub."),
    ] = ""
    as_names: Annotated[
        list[str],
        Meta(description="Names that --as may claim where a team shares one login; marked as unproven."),
    ] = []


class ListenerOptions(_Table, frozen=True, kw_only=True):
    host: Annotated[str, Meta(description="The address that the webhook listener binds to.")] = "127.0.0.1"
    port: Annotated[
        int,
        Meta(ge=0, le=65535, description="Its port; 0: no listener unless an account needs one, then a free port."),
    ] = 0
    public_url: Annotated[
        str,
        Meta(description="How providers reach the listener, e.g. through a reverse proxy; no final slash."),
    ] = ""


class NumberPattern(_Table, frozen=True, kw_only=True):
    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,30}$", description="What it is called, in small letters.")]
    pattern: Annotated[str, Meta(description="A regular expression with bounded repeats; the whole match is meant.")]


class FactPattern(_Table, frozen=True, kw_only=True):
    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,30}$", description="What it is called, in small letters.")]
    pattern: Annotated[
        str, Meta(description="A regular expression with bounded repeats; the group value is kept, else all.")
    ]
    en: Annotated[str, Meta(description="What people call it in English; empty: its name.")] = ""
    ko: Annotated[str, Meta(description="What people call it in Korean; empty: its name.")] = ""


GuardName: TypeAlias = Literal[
    "other_target",
    "wrong_name",
    "number_in_text",
    "unfilled_variable",
    "asked_again",
    "attachment_missing",
    "just_written",
    "mixed_tone",
]
"""The guards (``domain.guards``); a test compares the two."""


class GuardOptions(_Table, frozen=True, kw_only=True):
    on: Annotated[
        list[GuardName],
        Meta(description="The warnings before a send that are switched on."),
    ] = field(default_factory=lambda: list(get_args(GuardName)))
    minutes: Annotated[
        int, Meta(ge=1, le=1440, description="How long ago somebody else's message counts as just written.")
    ] = 10
    own_names: Annotated[list[str], Meta(description="How the team calls itself: no wrong names.")] = []
    numbers: Annotated[
        list[NumberPattern],
        Meta(description="Further numbers that are masked everywhere and warned of, beside card and ID numbers."),
    ] = []


class AgentOptions(_Table, frozen=True, kw_only=True):
    rights: Annotated[
        list[Literal["read", "reply", "customer", "operate"]],
        Meta(description="What the agent may do: read, reply, customer (change a person), operate (stop, sync)."),
    ]


RuleName: TypeAlias = Literal[
    "live_exchange", "stated", "last_inbound", "learned", "wrote_before", "regional", "default", "reachable"
]
"""The rules of a choice (``domain.preference``); a test compares the two."""


class ChoiceOptions(_Table, frozen=True, kw_only=True):
    order: Annotated[
        list[RuleName],
        Meta(description="The rules of a reply, weightiest first; one left out never decides. Empty: the usual order."),
    ] = []
    outbound: Annotated[
        list[RuleName],
        Meta(description="The same for a message that we begin ourselves."),
    ] = []
    regions: Annotated[
        str,
        Meta(description="A file of your own with what people of a country use; empty: the dated one that ships."),
    ] = ""


class FallbackOptions(_Table, frozen=True, kw_only=True):
    automatic: Annotated[
        list[str],
        Meta(
            description="Media that a reply which provably failed may go to by itself; empty: never without a person."
        ),
    ] = []
    minutes: Annotated[
        float,
        Meta(ge=1, le=360, description="How long somebody has to decide first."),
    ] = 10


class LawOptions(_Table, frozen=True, kw_only=True):
    use: Annotated[
        bool,
        Meta(description="Whether the law profiles of the customers' countries hold for messages that you begin."),
    ] = True
    file: Annotated[
        str,
        Meta(description="A file of your own with law profiles; empty: the dated one that ships."),
    ] = ""
    values: Annotated[
        dict[str, str],
        Meta(description="What the laws' texts need, by name: free_opt_out (a number), opt_out_link, contact …"),
    ] = {}
    marketing_needs_consent: Annotated[
        bool,
        Meta(description="Whether marketing goes only to whom consented to it, where the law asks for that."),
    ] = True
    holidays: Annotated[
        dict[str, list[date]],
        Meta(description="Days on which nothing is begun, by country; added to those of the package holidays."),
    ] = {}
    cap_messages: Annotated[
        int,
        Meta(ge=0, le=20, description="How many messages you may begin with one customer in cap_days; 0: any number."),
    ] = 2
    cap_days: Annotated[int, Meta(ge=1, le=365, description="The days that cap_messages is about.")] = 7
    cooling_hours: Annotated[
        int,
        Meta(ge=0, le=8760, description="How long nothing is begun after a conversation was tagged complaint."),
    ] = 48


class TemplateTable(_Table, frozen=True, kw_only=True):
    text: Annotated[
        dict[str, str],
        Meta(description="The text by language (en, ko …); {customer.name}, {fact.order}, {date+2d} … are filled in."),
    ] = {}
    subject: Annotated[dict[str, str], Meta(description="The subject by language, for media that have one.")] = {}
    media: Annotated[list[str], Meta(description="The media that it is written for; empty: any.")] = []
    purpose: Annotated[str, Meta(description="What its message is about, e.g. invoice: a wish may hold for that.")] = ""
    words: Annotated[list[str], Meta(description="Short words by which it is found, beside its name.")] = []


ThemeName: TypeAlias = Literal["auto", "ansi", "dark", "light", "high-contrast", "colour-blind", "mono"]
"""The themes (``ui.look``); a test compares the two."""

NoticeLevel: TypeAlias = Literal["none", "mine", "queue", "all"]
NoticeWay: TypeAlias = Literal["bell", "osc777", "osc9", "title"]


PriorityName: TypeAlias = Literal["low", "normal", "high", "urgent"]
StatusName: TypeAlias = Literal["open", "pending", "snoozed", "resolved"]
DayName: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class ViewOptions(_Table, frozen=True, kw_only=True):
    tags: Annotated[list[str], Meta(description="Tags that a conversation has, all of them.")] = []
    without_tags: Annotated[list[str], Meta(description="Tags of which it has none.")] = []
    priorities: Annotated[list[PriorityName], Meta(description="One of these priorities.")] = []
    media: Annotated[list[str], Meta(description="Written on one of these media.")] = []
    assignees: Annotated[list[str], Meta(description="One of these agents has it; me, or nobody.")] = []
    statuses: Annotated[list[StatusName], Meta(description="In one of these; empty: all but resolved.")] = []
    languages: Annotated[list[str], Meta(description="The newest message is in one of these, e.g. ko.")] = []
    late: Annotated[bool | None, Meta(description="Late by the targets, or not.")] = None
    waiting: Annotated[bool | None, Meta(description="Something is to be done, or not.")] = None
    older_than: Annotated[
        str,
        Meta(pattern=r"^(\d{1,4}[mhdw])?$", description="Something has been to do for so long: 30m, 2h, 3d, 1w."),
    ] = ""


class GoalOptions(_Table, frozen=True, kw_only=True):
    minutes: Annotated[
        float, Meta(gt=0, le=100_000, description="Minutes of working time within which it is to be answered.")
    ]
    first: Annotated[
        bool | None, Meta(description="Only the first answer in a conversation, or only the later ones.")
    ] = None
    priority: Annotated[
        Literal["", "low", "normal", "high", "urgent"], Meta(description="Only of this priority; empty: of any.")
    ] = ""
    medium: Annotated[str, Meta(description="Only what came in on this medium; empty: on any.")] = ""


class TargetOptions(_Table, frozen=True, kw_only=True):
    goals: Annotated[
        list[GoalOptions], Meta(description="Until when customers are to be answered; the first that fits holds.")
    ] = []
    opens: Annotated[
        str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="When work begins, in the profile's time zone.")
    ] = "00:00"
    closes: Annotated[
        str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="When it ends; the same as opens: never.")
    ] = "00:00"
    days: Annotated[list[DayName], Meta(min_length=1, description="The days of work.")] = field(
        default_factory=lambda: list(get_args(DayName))
    )
    holidays: Annotated[list[date], Meta(description="Days without work.")] = []
    country: Annotated[
        str,
        Meta(pattern=r"^([A-Z]{2})?$", description="A country whose holidays the package holidays adds; empty: none."),
    ] = ""


class UiOptions(_Table, frozen=True, kw_only=True):
    theme: Annotated[
        ThemeName,
        Meta(description="Colours; auto: the terminal's own 16. NO_COLOR outweighs it."),
    ] = "auto"
    glyphs: Annotated[
        Literal["auto", "unicode", "ascii"],
        Meta(description="Marks and frames; auto: ASCII where the locale, its language or TERM make others unsafe."),
    ] = "auto"
    clock: Annotated[
        bool,
        Meta(description="Whether the header has a clock; without, an idle console sends nothing at all."),
    ] = True
    notify: Annotated[
        list[NoticeWay],
        Meta(description="How somebody who looks elsewhere is told of a message: bell, osc777, osc9, title."),
    ] = field(default_factory=lambda: ["bell"])
    notify_level: Annotated[
        NoticeLevel,
        Meta(description="Of which messages: none, mine, queue (mine and nobody's), all."),
    ] = "mine"
    notify_name: Annotated[
        bool,
        Meta(description="Whether a notice names the customer; a notice may stand on a locked screen."),
    ] = False
    lock_after: Annotated[
        str,
        Meta(
            pattern=r"^(\d{1,4}[mh])?$",
            description="After how long without a key the screen is blanked, e.g. 10m; empty: never.",
        ),
    ] = ""
    confirm_send: Annotated[
        Literal["risky", "always", "never"],
        Meta(description="Before which sends the console shows a review first: risky ones, all, or none."),
    ] = "risky"
    mouse: Annotated[
        bool | Literal["auto"],
        Meta(description="Whether the console takes the mouse (else the terminal selects text); auto: not over SSH."),
    ] = "auto"


class AccountTable(_Table, frozen=True, kw_only=True):
    """The keys that every account has. The others are its kind's: ``agentconsole channels``."""

    kind: Annotated[str, Meta(description="The channel kind; agentconsole channels lists the installed ones.")]
    read_only: Annotated[bool, Meta(description="A trial beside another desk: reads, never sends, never flags.")] = (
        False
    )
    since: Annotated[
        str,
        Meta(
            pattern=r"^(\d{1,4}[dwh]|all|\d{4}-\d{2}-\d{2})$",
            description="Older messages are history: 30d, 12h, 2w, a date such as 2026-01-31, or all.",
        ),
    ] = "30d"
    price_per_part: Annotated[
        str,
        Meta(
            pattern=r"^([A-Z]{3} \d{1,6}(\.\d{1,6})?)?$",
            description='What one part of a message costs, e.g. "KRW 20"; shown before sending. Empty: not shown.',
        ),
    ] = ""
    hold: Annotated[
        Annotated[float, Meta(ge=0, le=60)] | None,
        Meta(description="The same as the profile's hold, for this account alone."),
    ] = None
    options: dict[str, Any] = {}
    """Not a key: the rest of the table, for the kind's own options."""


class Profile(_Table, frozen=True, kw_only=True):
    name: str = ""
    """Not a key: the name in the table's header."""
    store: Annotated[
        str,
        Meta(description='Where the customers are kept: "tinydb:FOLDER"; empty: this file only attaches to a hub.'),
    ] = ""
    language: Annotated[
        Literal["", "en", "ko"], Meta(description="Language of screens and sentences; empty: from LANG.")
    ] = ""
    timezone: Annotated[
        str, Meta(description="Time zone of the times shown, e.g. Asia/Seoul; empty: the computer's.")
    ] = ""
    region: Annotated[
        str,
        Meta(pattern=r"^([A-Z]{2})?$", description="Country of phone numbers written without country code, e.g. KR."),
    ] = ""
    default_media: Annotated[
        list[str], Meta(description="Media in the order to try where nothing is known of a customer.")
    ] = []
    exchange_minutes: Annotated[
        int, Meta(ge=0, le=1440, description="How long after a chat message its writer counts as waiting there.")
    ] = 15
    reopen_days: Annotated[
        int, Meta(ge=0, le=3650, description="A message this long after the last one reopens its conversation.")
    ] = 7
    expire_hours: Annotated[
        float, Meta(gt=0, le=720, description="How long a reply is tried before it fails and asks what to do.")
    ] = 24
    hold: Annotated[
        float,
        Meta(ge=0, le=60, description="Seconds for which a reply waits after ctrl+s so that F9 can stop it; 0: none."),
    ] = 5
    free_space_mb: Annotated[
        int, Meta(ge=0, description="Space that must stay free on the store's disk; below it, nothing is fetched.")
    ] = 200
    choice: ChoiceOptions = ChoiceOptions()
    fallback: FallbackOptions = FallbackOptions()
    laws: LawOptions = LawOptions()
    hub: HubOptions = HubOptions()
    http: ListenerOptions = ListenerOptions()
    agents: Annotated[
        dict[str, AgentOptions],
        Meta(description="Who may do what, by Unix login; without this table every login that attaches may all."),
    ] = {}
    targets: TargetOptions = TargetOptions()
    views: Annotated[
        dict[str, ViewOptions],
        Meta(description="Views of the queue of your own, by name: inbox --view NAME, g 1 to g 9 in the console."),
    ] = {}
    guards: GuardOptions = GuardOptions()
    facts: Annotated[
        list[FactPattern],
        Meta(description="Further things that customers tell, found in what they write and shown beside the timeline."),
    ] = []
    templates: Annotated[
        dict[str, TemplateTable], Meta(description="Texts that are sent often, by a name of your choice.")
    ] = {}
    template_folder: Annotated[
        str,
        Meta(description="A folder with further templates: NAME.LANGUAGE.txt, with a line Subject: … where wanted."),
    ] = ""
    starter_templates: Annotated[
        bool, Meta(description="Whether the templates that ship with the program are there.")
    ] = True
    agent_names: Annotated[
        dict[str, str],
        Meta(description="How customers know the agents, by Unix login: what {agent.name} becomes in templates."),
    ] = {}
    ui: UiOptions = UiOptions()
    keymap: Annotated[
        dict[str, dict[str, list[str]]],
        Meta(
            description="Keys of your own by context (list, box …; reading: all lists) and action: agentconsole keys."
        ),
    ] = {}
    channels: Annotated[dict[str, AccountTable], Meta(description="The accounts, by a name of your choice.")] = {}


NOT_KEYS = {Profile: frozenset({"name"}), AccountTable: frozenset({"options"})}
"""Fields that the reader fills in itself."""

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def cutoff(since: str, now: datetime) -> datetime | None:
    """Return the moment before which messages are history, or None for ``all``.

    Args:
        since: as ``AccountTable.since`` allows it.
    """
    if since == "all":
        return None
    if match := re.fullmatch(r"(\d+)([hdw])", since):
        return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    return datetime.combine(date.fromisoformat(since), datetime.min.time(), UTC)
