"""What is known of the person: addresses, consent, preference, wishes."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from agentconsole.domain import consent
from agentconsole.domain.entries import (
    AddressLinked,
    AddressState,
    AddressTrusted,
    ConsentChanged,
    Described,
    PreferenceStated,
    Received,
    WishSeen,
)
from agentconsole.domain.history_state import KEPT_WISHES, State, replace
from agentconsole.domain.model import Address, AgentName, Card, Consent, LinkedAddress, Preference, Trust, Wish

_TRUST_RANK: Final = {Trust.VERIFIED: 3, Trust.THREADED: 2, Trust.CLAIMED: 1, Trust.AMBIGUOUS: 0}


def consent_key(consent: Consent | ConsentChanged) -> str:
    return f"{consent.medium}|{consent.scope}"


class Person(State):
    def _link(self, address: Address, trust: Trust, entry: Received | AddressLinked) -> None:
        linked = self.addresses.get(str(address))
        if linked is None:
            by, evidence, why = "", entry.id, ""
            if isinstance(entry, AddressLinked):
                by, evidence, why = entry.by, entry.evidence or entry.id, entry.why
            self.addresses[str(address)] = LinkedAddress(address, trust, entry.at, by, evidence, why)  # type: ignore[arg-type]
        elif _TRUST_RANK[trust] > _TRUST_RANK[linked.trust]:
            self.addresses[str(address)] = replace(linked, trust=trust)
        self._signed(address, entry)

    def _signed(self, address: Address, entry: Received | AddressLinked) -> None:
        """Note who signs an address now; what an agent vouched for lapses when that changes."""
        linked = self.addresses[str(address)]
        signer = entry.signer if isinstance(entry, Received) else ""
        if signer and signer != linked.signer:
            self.addresses[str(address)] = replace(linked, signer=signer, trusted_by=AgentName(""))

    def _address_state(self, entry: AddressState) -> None:
        linked = self.addresses.get(str(entry.address))
        if linked is not None:
            self.addresses[str(entry.address)] = replace(
                linked, dead=entry.dead, dead_at=entry.at if entry.dead else None
            )

    def _consent(self, entry: ConsentChanged) -> None:
        """The later word counts, whenever it arrives; at the same moment the denial.

        A consent lifts every older denial that it covers: "write to me again" lifts the STOP on one medium too. A
        narrow one lifts no wider denial.
        """
        said = Consent(entry.medium, entry.scope, entry.allowed, entry.at, entry.evidence, entry.words)
        known = self.consents.get(consent_key(said))
        if known is not None and _weight(said) < _weight(known):
            return
        self.consents[consent_key(said)] = said
        words = tuple(self.consents.values())
        for denied in words:
            lifts = (w.allowed and w.at > denied.at and consent.covers(w, denied) for w in words)
            if not denied.allowed and any(lifts):
                del self.consents[consent_key(denied)]

    def _preference(self, entry: PreferenceStated) -> None:
        """The later word counts. A wish that was taken back stays as one without a medium."""
        self.wishes.pop(entry.wish, None)
        known = self.preferences.get(entry.purpose)
        if known is not None and entry.at < known.at:
            return
        self.preferences[entry.purpose] = Preference(
            entry.medium, entry.purpose, entry.at, entry.by, entry.evidence, entry.evidence_medium, entry.words
        )

    def _wish(self, entry: WishSeen) -> None:
        """Keep the newest wishes only: who did not decide about the tenth will not about the first."""
        self.wishes[entry.id] = Wish(
            entry.id, entry.at, entry.medium, entry.purpose, entry.evidence, entry.evidence_medium, entry.words
        )
        for oldest in sorted(self.wishes, key=lambda wish: self.wishes[wish].at)[:-KEPT_WISHES]:
            del self.wishes[oldest]

    def _describe(self, entry: Described) -> None:
        known = self.cards.get(entry.what)
        if known is None or entry.at >= known.at:
            self.cards[entry.what] = Card(entry.what, entry.value, entry.at, entry.by, entry.evidence)

    def _trust(self, entry: AddressTrusted) -> None:
        linked = self.addresses.get(str(entry.address))
        if linked is not None:
            signer = entry.signer if entry.by else linked.signer
            self.addresses[str(entry.address)] = replace(linked, trusted_by=entry.by, signer=signer)


def _weight(said: Consent) -> tuple[datetime, bool]:
    return said.at, not said.allowed
