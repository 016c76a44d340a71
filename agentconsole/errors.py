"""Every error that crosses a module boundary, as one tree.

::

    AgentConsoleError            exit 1   something failed; the message says what, the hint what to do
    ├── UsageError               exit 2   the call or the configuration is wrong
    │   └── ConfigError          exit 2   with file, line, key
    ├── Refused                  exit 3   a rule forbids it: opt-out, no right, a veto
    │   └── Answered             exit 3   somebody else answered meanwhile; saying so again overrules
    ├── TryLater                 exit 4   nothing happened; the same call may work later
    │   └── HubAbsent            exit 4   no hub answers
    ├── NotFound                 exit 5
    │   └── Ambiguous            exit 5   several things fit
    ├── OutcomeUncertain         exit 6   it may have happened
    │   └── AnswerLost           exit 6   the hub went away before it answered; also a HubAbsent
    ├── StoreFault               exit 1   a file could not be read or written
    │   ├── StoreBusy            exit 4   another hub holds this store
    │   ├── ReadOnly             exit 3   this customer was set aside after damage
    │   └── SpoolDamaged         exit 1   this batch in the spool is not what was written
    └── ChannelFailure                    what ``Channel.send`` and ``Channel.fetch`` may raise
        ├── TemporaryFailure              provably not delivered; try again later
        ├── PermanentFailure              provably not delivered; never this way
        ├── OutcomeUnknown                it may have been delivered: a person decides
        └── SignInFailed                  this account stops until somebody mends it
    Withdrawn                             ``commit()`` found that the reply must not leave (raised through ``send``)
    Forged                                a webhook request whose signature does not hold

Messages follow one pattern: what happened, what was not affected, what to do.
"""

from __future__ import annotations

from typing import ClassVar


class AgentConsoleError(Exception):
    """Base of all errors that a person may see.

    Args:
        message: what happened and what was not affected, one sentence or two.
        hint: what to do next; empty where there is nothing to do.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AgentConsoleError):
    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    code = "config"


class Refused(AgentConsoleError):
    code = "refused"
    exit_code = 3


class Answered(Refused):
    code = "answered"


class TryLater(AgentConsoleError):
    code = "try_later"
    exit_code = 4


class HubAbsent(TryLater):
    code = "hub_absent"


class NotFound(AgentConsoleError):
    code = "not_found"
    exit_code = 5


class Ambiguous(NotFound):
    code = "ambiguous"


class OutcomeUncertain(AgentConsoleError):
    code = "uncertain"
    exit_code = 6


class AnswerLost(OutcomeUncertain, HubAbsent):
    """A change was asked for and the hub went away before it answered.

    A repeat with the same request id changes nothing more, so whoever waits for an absent hub may wait here too.
    """

    code = "answer_lost"


class StoreFault(AgentConsoleError):
    code = "store"


class StoreBusy(StoreFault):
    code = "store_busy"
    exit_code = 4


class ReadOnly(StoreFault):
    code = "read_only"
    exit_code = 3


class SpoolDamaged(StoreFault):
    code = "spool_damaged"


class ChannelFailure(AgentConsoleError):
    """What a channel reports. ``reason`` is a code that ``text.words`` can word."""

    code = "channel"

    def __init__(self, message: str, hint: str = "", *, reason: str = "provider_error") -> None:
        super().__init__(message, hint)
        self.reason = reason


class TemporaryFailure(ChannelFailure):
    """Provably not delivered.

    Args:
        retry_after: seconds that the provider asked to wait, where it did.
    """

    code = "temporary"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        reason: str = "provider_error",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint, reason=reason)
        self.retry_after = retry_after


class PermanentFailure(ChannelFailure):
    code = "permanent"


class OutcomeUnknown(ChannelFailure):
    code = "unknown"


class SignInFailed(ChannelFailure):
    code = "sign_in"

    def __init__(self, message: str, hint: str = "", *, reason: str = "sign_in_refused") -> None:
        super().__init__(message, hint, reason=reason)


class Withdrawn(Exception):
    """The reply may no longer leave; nothing was sent.

    Args:
        reason: a refusal code such as ``opted_out`` or ``cancelled``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Forged(Exception):
    """A webhook request that its account's secret does not vouch for. Answered with 401 and nothing else."""


def _tree(root: type[AgentConsoleError]) -> dict[str, type[AgentConsoleError]]:
    """Return the class of every code: the one that brought it in, not those that only say more of the same."""
    found = {root.code: root}
    for child in root.__subclasses__():
        for code, kind in _tree(child).items():
            found.setdefault(code, kind)
    return found


def from_code(code: str, message: str, hint: str = "") -> AgentConsoleError:
    """Rebuild an error that crossed the socket; an unknown code becomes the base class."""
    return _tree(AgentConsoleError).get(code, AgentConsoleError)(message, hint)
