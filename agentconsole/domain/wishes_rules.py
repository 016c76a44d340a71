"""What a language's table of wishes consists of. The tables are ``wishes_en`` and its neighbours; ``wishes`` reads."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

INVOICE: Final = "invoice"
DELIVERY: Final = "delivery"
APPOINTMENT: Final = "appointment"
URGENT: Final = "urgent"
MARKETING: Final = "marketing"

_NAMED: Final = {
    word: purpose
    for purpose, words in (
        (
            INVOICE,
            "invoice invoices bill bills billing receipt receipts 청구서 세금계산서 계산서 영수증 請求書 領収書"
            " fatura faturas boleto boletos factura facturas recibo recibos",
        ),
        (DELIVERY, "delivery deliveries shipping shipment 배송 배달 택배 配送 配達 entrega entregas envío envíos"),
        (
            APPOINTMENT,
            "appointment appointments booking bookings reminder reminders 예약 予約 consulta consultas cita citas",
        ),
        (URGENT, "urgent urgency emergency 긴급 緊急 至急 urgente urgência urgencia"),
        (
            MARKETING,
            "marketing offer offers newsletter newsletters promo promos promotion promotions promotional sale sales"
            " discount discounts deal deals ad ads advert adverts advertising advertisement campaign campaigns"
            " 광고 마케팅 할인 홍보 이벤트 프로모션 뉴스레터 広告 宣伝 販促 セール キャンペーン oferta ofertas promoção"
            " promoções campanha campanhas promoción promociones campaña campañas publicidad publicidade",
        ),
    )
    for word in words.split()
}


def purpose_named(word: str) -> str:
    """Return the purpose that a word means (``invoices`` and ``청구서`` mean ``invoice``), else the word itself."""
    plain = unicodedata.normalize("NFKC", word).strip().lower()
    return _NAMED.get(plain, plain)


M: Final = r"<(?P<medium>\w+)>"
"""A medium that is named."""
V: Final = r"<(?P<medium>\w+)!>"
"""A medium in a verb: ``text me``."""
X: Final = r"<(?P<medium>\w+)!?>"
ANY: Final = r"<\w+!?>"


def compiled(*rules: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rule) for rule in rules)


class Tongue(NamedTuple):
    """One language.

    Args:
        media: spellings in lower case, each with its medium; an empty one keeps a look-alike from being taken for one.
        rewrite: idioms brought to one form before anything is erased.
        negated: mentions that are turned down; they are erased, and what is left of the sentence is a contrast.
        erased: mentions that ask for nothing: past, objects, questions whether we have it.
        vetoes: a sentence with one of these is nobody's wish for themselves.
        sure: asks for the medium.
        unsure: may ask for it.
        asks: what a question must hold to be a request.
        labels: of a line in a form.
        purposes: words that say what the wish is for.
    """

    media: tuple[tuple[re.Pattern[str], str], ...]
    rewrite: tuple[tuple[re.Pattern[str], str], ...]
    negated: tuple[re.Pattern[str], ...]
    erased: tuple[re.Pattern[str], ...]
    vetoes: tuple[re.Pattern[str], ...]
    sure: tuple[re.Pattern[str], ...]
    unsure: tuple[re.Pattern[str], ...]
    asks: re.Pattern[str]
    labels: re.Pattern[str]
    purposes: tuple[tuple[re.Pattern[str], str], ...]


def media(*pairs: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(spelling), medium) for spelling, medium in pairs)
