"""What the commands say of replies that wait and of who else is at a customer, in English and Korean."""

from __future__ import annotations

from typing import Final

WAITING: Final[dict[str, tuple[str, str]]] = {
    "held_until": (
        "It leaves at {at}. To take it back: agentconsole outbox cancel {id}",
        "{at}에 나감. 되돌리기: agentconsole outbox cancel {id}",
    ),
    "earlier": (
        "Other words were accepted under this request id before; what was asked for now was not sent. New id: --key",
        "이 요청 ID로 이전 글이 이미 접수됨. 지금 글은 발송 안 됨. 새 ID: --key",
    ),
    "quit_waits": (
        "Still to leave by themselves: {n}, the next at {at}. The hub goes on until then.",
        "저절로 나갈 답장 {n}건, 다음은 {at}. 허브는 그때까지 계속 실행됨.",
    ),
    "writes_here": ("{name} is writing to this customer ({n} s ago).", "{name} 님이 이 고객에게 작성 중({n}초 전)."),
    "looks_here": ("{name} looks at this customer.", "{name} 님이 이 고객을 보는 중."),
}
"""English and Korean."""
