"""What stays of an entry whose content was taken out, and of the entries that quote it."""

from __future__ import annotations

from datetime import UTC, datetime

from agentconsole.domain import redaction
from agentconsole.domain.entries import (
    AnyEntry,
    ConsentChanged,
    Named,
    Note,
    PreferenceStated,
    Received,
    Reply,
    Suggested,
    Unreadable,
    WishSeen,
)
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    Attachment,
    BlobId,
    ConversationId,
    CustomerId,
    EntryId,
    Medium,
)

AT = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
SECRET = "feather4821"
MAIL, SMS, C1 = Medium("email"), Medium("sms"), ConversationId("c1")
EMILY = Address("email", "", "emily@example.com")
FILES = (Attachment(f"{SECRET}.pdf", "application/pdf", 3, BlobId(SECRET)),)
E1, E2 = EntryId("e1"), EntryId("e2")

SAID: list[AnyEntry] = [
    Received(
        id=E1,
        at=AT,
        account=AccountName("mail"),
        medium=MAIL,
        sender=EMILY,
        conversation=C1,
        stored_at=AT,
        subject=SECRET,
        text=SECRET,
        attachments=FILES,
        mentions=(Address("phone", "", SECRET),),
        raw=BlobId(SECRET),
    ),
    Reply(
        id=E1,
        at=AT,
        agent=AgentName("ana"),
        conversation=C1,
        account=AccountName("mail"),
        medium=MAIL,
        address=EMILY,
        text=SECRET,
        key="key@example.com",
        subject=SECRET,
        attachments=FILES,
    ),
    Note(id=E1, at=AT, agent=AgentName("ana"), conversation=C1, text=SECRET),
    Unreadable(
        id=E1,
        at=AT,
        account=AccountName("mail"),
        medium=MAIL,
        conversation=C1,
        reason="unreadable",
        detail=SECRET,
        raw=BlobId(SECRET),
    ),
]


def test_nothing_of_what_was_said_stays_and_everything_else_does():
    for entry in SAID:
        left = redaction.without(entry, E1)
        assert left is not None
        assert SECRET not in repr(left)
        assert (type(left), left.id, left.at, left.conversation) == (type(entry), E1, AT, C1)  # type: ignore[union-attr]
        assert redaction.is_emptied(left)
        assert not redaction.is_emptied(entry)
        assert redaction.without(left, E1) == left
        assert redaction.without(entry, E2) is entry


def test_what_quotes_it_is_quoted_no_more():
    address = Address("phone", "", SECRET)
    suggested = Suggested(id=E2, at=AT, other=CustomerId("k2"), address=address, why="number_in_text", evidence=E1)
    assert redaction.without(suggested, E1) is None
    for quoting in (
        PreferenceStated(id=E2, at=AT, medium=SMS, evidence=E1, words=SECRET),
        WishSeen(id=E2, at=AT, medium=SMS, evidence=E1, words=SECRET),
        ConsentChanged(id=E2, at=AT, medium=SMS, evidence=E1, words=f"stop it, {SECRET}"),
    ):
        left = redaction.without(quoting, E1)
        assert left is not None
        assert SECRET not in repr(left)
        assert (left.id, type(left)) == (E2, type(quoting))
        assert redaction.without(quoting, EntryId("e3")) is quoting
    stop = ConsentChanged(id=E2, at=AT, medium=SMS, evidence=E1, words="STOP")
    assert redaction.without(stop, E1) == stop


def test_what_says_nothing_is_no_redacted_entry():
    named = Named(id=E1, at=AT, name="Emily")
    assert redaction.emptied(named) is named
    assert not redaction.is_emptied(named)
