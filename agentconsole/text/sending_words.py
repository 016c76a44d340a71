"""Words of replies that wait: held for a moment so that they can be stopped, or for a time that somebody chose."""

from __future__ import annotations

from typing import Final

SENDING: Final[dict[str, tuple[str, str]]] = {
    "delivery.held": ("Leaves at {at}; until then it can be stopped.", "{at}에 나감. 그때까지 멈출 수 있음."),
    "delivery.scheduled": ("Scheduled for {at}.", "{at} 발송 예약."),
    "reason.other_time": ("at a time chosen by hand", "직접 정한 시각"),
}
"""English and Korean."""
