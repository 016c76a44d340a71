"""What the console says of the choice of a channel, of another way and of the person; see ``strings``."""

from __future__ import annotations

from typing import Final

EN: Final[dict[str, str]] = {
    "why.proposed": "{kt.next_route}",
    "why.set_aside": "asked for",
    "why.not_cc": "Cc",
    "choice.not_cc": "{n} more on that e-mail will not get this: {names}",
    "choice.lost": "{n} in Cc will not get this.",
    "choice.source": "enter shows where it was asked for",
    "choice.remembered": "Remembered: prefers {medium}. {k.undo} takes it back.",
    "choice.forgotten": "Taken back: the preference is as it was.",
    "choice.not_chosen": "Nothing to remember: {kt.next_route} chooses another channel first.",
    "fallback.none": "No other channel is allowed for this customer now. Nothing was sent.",
    "fallback.draft": "A draft of yours is in the way and stays. Send it or set it aside "
    "({kt.set_aside}), then {k.fallback}.",
    "fallback.ready": "{what} Nothing is sent yet: {kt.send} sends.",
    "entry.instead": "Sent instead of the {medium} of {time}, which failed.",
    "entry.arrived_late": "The {medium} arrived after all: the customer has both.",
    "card.person": "Person",
    "action.fallback": "Send a failed reply another way",
    "action.remember": "Remember the channel chosen by hand as preferred",
}

KO: Final[dict[str, str]] = {
    "why.proposed": "{kt.next_route}",
    "why.set_aside": "요청",
    "why.not_cc": "참조",
    "choice.not_cc": "그 메일의 다른 {n}명은 받지 못함: {names}",
    "choice.lost": "참조 {n}명은 받지 못함.",
    "choice.source": "enter로 요청한 글 보기",
    "choice.remembered": "기억함: 선호 채널 {medium}. {k.undo}로 되돌림.",
    "choice.forgotten": "되돌림: 선호 채널이 전과 같음.",
    "choice.not_chosen": "기억할 것 없음: 먼저 {kt.next_route}로 다른 채널 선택.",
    "fallback.none": "지금 이 고객에게 쓸 수 있는 다른 채널 없음. 발송 안 됨.",
    "fallback.draft": "쓰던 글이 있어 그대로 둠. 보내거나 치운({kt.set_aside}) 다음 {k.fallback}.",
    "fallback.ready": "{what} 아직 발송 안 됨: {kt.send} 발송.",
    "entry.instead": "실패한 {time} {medium} 대신 보냄.",
    "entry.arrived_late": "{medium}도 늦게 도착함: 고객이 둘 다 받음.",
    "card.person": "고객 정보",
    "action.fallback": "실패한 답장을 다른 채널로 보내기",
    "action.remember": "직접 고른 채널을 선호 채널로 기억",
}
