"""What the console says of senders that nothing vouches for, in English and Korean; see ``strings``."""

from __future__ import annotations

from typing import Final

EN: Final[dict[str, str]] = {
    "gate.line": "Sender not verified: {address}, {signed}. History closed. {open} open it (noted), {trust} trust",
    "gate.signed": "signed by {signer}",
    "gate.by_nobody": "signed by nobody",
    "gate.nothing": "Nothing is closed here.",
    "gate.opened": "Opened; it is noted. The next mail like this closes it again.",
    "gate.unsigned": "Nothing signs this mail: nobody could know the sender again. Open the history instead.",
    "gate.trusted": "{address} is trusted as {signer} signs; another signer ends it.",
    "search.closed": "(closed: sender not verified)",
    "gate.postponed": "Asked again on {day}.",
    "health.unchecked": "Nobody tells genuine senders from forged ones here: set authserv_id.",
    "card.linked": "{by}, {day}",
    "card.trusted": "trusted by {agent}: {signer}",
    "why.provider_ties": "named by the provider",
    "action.open_history": "Open a closed history",
    "action.trust_sender": "Trust the sender as signed now",
    "action.postpone_link": "Decide about a suggestion later",
}

KO: Final[dict[str, str]] = {
    "gate.line": "발신자 확인 안 됨: {address}, {signed}. 이전 기록 닫힘. {open} 열기(기록됨), {trust} 신뢰",
    "gate.signed": "서명 {signer}",
    "gate.by_nobody": "서명 없음",
    "gate.nothing": "여기에는 닫힌 기록이 없음.",
    "gate.opened": "열었고 기록에 남음. 이런 메일이 또 오면 다시 닫힘.",
    "gate.unsigned": "서명이 없어 다시 알아볼 수 없음. 기록을 여는 것만 가능.",
    "gate.trusted": "{address} 주소를 {signer} 서명에 한해 신뢰. 서명이 바뀌면 끝남.",
    "search.closed": "(닫힘: 발신자 확인 안 됨)",
    "gate.postponed": "{day}에 다시 물음.",
    "health.unchecked": "발신자의 진위를 확인하지 않음: authserv_id 설정 필요.",
    "card.linked": "{by}, {day}",
    "card.trusted": "{agent} 신뢰: {signer}",
    "why.provider_ties": "제공자가 알림",
    "action.open_history": "닫힌 기록 열기",
    "action.trust_sender": "지금 서명대로 발신자 신뢰",
    "action.postpone_link": "연결 제안 나중에 결정",
}
