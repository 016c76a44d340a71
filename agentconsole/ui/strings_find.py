"""What the console says of searching, of the quick switcher and of evidence; see ``strings``."""

from __future__ import annotations

from typing import Final

EN: Final[dict[str, str]] = {
    "action.switch": "Go to a customer",
    "action.search_here": "Search in this timeline",
    "action.next_hit": "Next find",
    "action.previous_hit": "Previous find",
    "action.evidence": "Go to the evidence",
    "prompt.switch": "Customer:",
    "prompt.search_here": "Search here:",
    "search.filters": "tab: from: on: before: after: has: is: tag: by: in:   -word leaves out",
    "search.here_hint": "Words in this timeline. Empty ends the search.",
    "search.of": "{n} found",
    "search.more": "more than {n}",
    "search.at": "{at}/{of}  {words}",
    "search.first": "That was the newest find.",
    "search.last": "That was the oldest find.",
    "search.ended": "The search has ended.",
    "search.no_list": "Nothing has been searched. / searches.",
    "switch.title": "CUSTOMERS",
    "switch.none": "Nobody is known under this.",
    "evidence.at": "Evidence {at}/{of}. esc goes back, E to the next.",
    "evidence.one": "Evidence. esc goes back.",
    "evidence.none": "No message stands behind anything here.",
    "timeline.newer": ".. newer entries: G",
}

KO: Final[dict[str, str]] = {
    "action.switch": "고객으로 가기",
    "action.search_here": "이 기록에서 찾기",
    "action.next_hit": "다음 결과",
    "action.previous_hit": "이전 결과",
    "action.evidence": "근거로 가기",
    "prompt.switch": "고객:",
    "prompt.search_here": "여기서 찾기:",
    "search.filters": "tab: from: on: before: after: has: is: tag: by: in:   -단어는 제외",
    "search.here_hint": "이 기록 안에서 찾을 말. 비우면 찾기를 끝냄.",
    "search.of": "{n}건",
    "search.more": "{n}건 넘음",
    "search.at": "{at}/{of}  {words}",
    "search.first": "가장 새로운 결과였음.",
    "search.last": "가장 오래된 결과였음.",
    "search.ended": "찾기를 끝냄.",
    "search.no_list": "찾은 것 없음. /로 찾기.",
    "switch.title": "고객",
    "switch.none": "해당하는 고객 없음.",
    "evidence.at": "근거 {at}/{of}. esc로 돌아가고 E로 다음.",
    "evidence.one": "근거. esc로 돌아가기.",
    "evidence.none": "근거가 되는 메시지 없음.",
    "timeline.newer": ".. 더 새로운 기록: G",
}
