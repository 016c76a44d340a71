"""The Desk, done: every call checks the agent's right, reads or changes the store, and is idempotent by request id."""

from __future__ import annotations

from agentconsole.hub.desk.away import Attendance
from agentconsole.hub.desk.care import Care
from agentconsole.hub.desk.composing import Composing
from agentconsole.hub.desk.describing import Describing
from agentconsole.hub.desk.finding import Finding
from agentconsole.hub.desk.guarding import Guarding
from agentconsole.hub.desk.operating import Operating
from agentconsole.hub.desk.otherwise import Otherwise
from agentconsole.hub.desk.people import People
from agentconsole.hub.desk.waiting import Waiting
from agentconsole.hub.desk.wishing import Wishing
from agentconsole.hub.desk.working import Working


class DeskOverStore(
    Attendance, Care, Composing, People, Describing, Guarding, Otherwise, Waiting, Wishing, Working, Operating, Finding
):
    """Implements ``desk.Desk``. The parts share ``hub.desk.base.DeskPart``, which says what they need."""
