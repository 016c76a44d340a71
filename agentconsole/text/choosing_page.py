"""``docs/choosing.md``, made of rules, vetoes, words and data; ``scripts/choosing_page.py`` reads the files for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from agentconsole.domain import consent, permission, preference
from agentconsole.domain.laws import Law
from agentconsole.domain.regions import Share
from agentconsole.text.words_table import WORDS

_SAYS: Final = WORDS["en"]

_HEAD: Final = """# Which channel, and may we write there

Made from `agentconsole/domain` and the words by `python scripts/choosing_page.py > docs/choosing.md`; a test keeps it
so.

Every reply has a **choice**: the routes in order, each with its rule, and the refused routes, each with its reason
and, where it ends by itself, until when. `agentconsole why CUSTOMER`, `F2` in the console and `send --dry-run` show
the same one. The rule with its facts is kept in the reply (`agentconsole --json show CUSTOMER`); what was refused is
in the audit with its facts (`refused`, and `withdrawn` for what was taken back before it left).

The judgement is made three times: for the choice, in the step that claims the reply, and again just before the step
that cannot be taken back. An opt-out that was acknowledged in between stops it (`python -m proofs.consent`).

In the sentences, words in braces stand for facts: a time, a count, a channel."""

_WISHES: Final = """## Stated wishes

What customers write is read for where they want to be answered: "please text me", "카톡으로 주세요", a line of a form
(`Preferred contact: phone`), a bare "2" or "email" to a question of ours that lists channels; in English, Korean,
Japanese, Portuguese and Spanish, by rules, without a model. One for a purpose ("invoices by e-mail") holds for that
(`send --purpose invoice`). A **sure** one is taken by itself, with its sentence, its date and the message it stands in
(`why` names them); an unsure one is shown with one key to take or refuse it (`suggestion list`). The later word counts,
by the time when it was written, so mail that comes late undoes nothing. Not read: quoted and forwarded text, the
signature, automatic mail, archives, senders who may be somebody else, and the single word that opts out. A wish for a
channel without an account is kept and takes part once there is one.

How often it is right, measured on sentences of which one half was written by somebody else before the rules and never
used for them (`tests/domain/wishes`; Wilson, 95 %):

| half | taken rightly | precision | taken from ordinary messages | recall en | es | ja | ko | pt |
|---|---|---|---|---|---|---|---|---|
| held out | 181 of 210 | 0.984 (0.953 to 0.994) | 2 of 1032 | 48/60 | 25/30 | 30/30 | 53/60 | 25/30 |
| tuned on | 543 of 563 | 1.000 (0.993 to 1.000) | 0 of 1528 | 148/164 | 118/119 | 68/68 | 91/92 | 118/120 |

Of what is not taken, 5 wishes and 7 ordinary messages of the first half are suggested."""

_OPT_OUTS: Final = """## Opt-outs

| scope | an answer | what you begin: `--purpose marketing`, or none named | what you begin: another purpose |
|---|---|---|---|
| marketing | allowed | forbidden | allowed |
| service | allowed | forbidden | forbidden |
| all | forbidden, but see below | forbidden | forbidden |

An opt-out holds on its channel, or on all. Joined customers have the union of their opt-outs; when the join ends,
each has its own again. An opt-in lifts every older opt-out that it covers.

Somebody who opted out of all and then wrote on that channel asked something. **One answer per message of theirs** is
allowed there, by an agent, where the law of their country says so (`answer_after_opt_out`) and the provider lets it
through; never by itself, and never a message that you begin. A second one waits until they write again. Otherwise the
next route is offered.

Opt-outs come from agents (`customer opt-out`), from the single words below on phone-based channels, from providers
(Twilio's STOP events and error 21610), from one click on the `List-Unsubscribe` of a mail that you began (RFC 8058,
where the listener has a `public_url` on https; what signs your mail has to sign that header), and from mails that
answer it: those end marketing by mail. A bot that was blocked and an address that bounced close the address.

Only the single word counts, after NFKC, without hidden characters, accents or marks around it, in any language:"""

_PROACTIVE: Final = """## Messages that you begin

`send --proactive [--purpose WORD] [--when-allowed]`. Beside the vetoes above they are asked, in this order: consent
(for marketing), a complaint less than `cooling_hours` ago, the cap over all channels and agents, the customer's own
hours and holidays, and whether the lines that the law asks for can be filled. With `--when-allowed` a message against
which only a time stands is held until then. The customer's clock is told (`customer time-zone`), else of their number,
else the profile's; a number with several zones has to allow it in all of them. Keys: `[profiles.NAME.laws]` in
`config.example.toml`.

## The laws that ship

Data of {as_of} in `agentconsole/data/laws.toml`, with the sources and what could not be verified beside each rule.
Not legal advice."""


def page(laws: Mapping[str, Law], as_of: str, shares: Iterable[Share]) -> str:
    """Return the page.

    Args:
        laws: by country.
        as_of: when they were looked at last.
        shares: what people of a country use.
    """
    parts = [
        _HEAD,
        "## Rules of an answer, weightiest first",
        _rules(preference.ORDER_REPLY),
        "## Rules of a message that you begin",
        _rules(preference.ORDER_OUTBOUND),
        "Both orders are the profile's to change (`[profiles.NAME.choice]`). Among routes of one rule the one that the "
        "customer used last comes first, then the order of `default_media`.",
        _WISHES,
        "## Vetoes, in the order in which they are asked",
        _table(("reason", "what is said"), ((f"`{code}`", _says("refused", code)) for code in permission.ORDER)),
        _OPT_OUTS,
        _words(),
        _PROACTIVE.format(as_of=as_of),
        _laws(laws),
        "## What people of a country use",
        "Only for a first contact of which nothing is known; `agentconsole/data/regions.toml` names the sources.",
        _shares(shares),
    ]
    return "\n\n".join(parts) + "\n"


def _says(prefix: str, code: str) -> str:
    return _SAYS[f"{prefix}.{code}"]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _rules(order: Iterable[str]) -> str:
    return _table(("rule", "what is said"), ((f"`{rule}`", _says("rule", rule)) for rule in order))


def _words() -> str:
    languages = sorted({language for meaning in consent.WORDS.values() for language in meaning})
    rows = (
        (language, *(" ".join(sorted(consent.WORDS[said].get(language, ()))) or "–" for said in consent.Said))
        for language in languages
    )
    return _table(("language", "stops", "resumes", "asks for help (noted only)"), rows)


def _laws(laws: Mapping[str, Law]) -> str:
    rows = (
        (
            country,
            f"{law.proactive_from}–{law.proactive_until}" if law.proactive_from else "any",
            ", ".join(law.any_hour) or "–",
            law.marketing_label or "–",
            f"`{law.marketing_footer}`" if law.marketing_footer else "–",
            ", ".join(law.footer_media) or "all",
            ("yes" if law.marketing_needs_consent else "no")
            + (f", {law.consent_years} y" if law.consent_years else ""),
            "once" if law.answer_after_opt_out else "no",
            law.source,
        )
        for country, law in sorted(laws.items())
    )
    head = ("country", "hours", "not for", "label", "footer", "on", "consent to marketing", "answer after opt-out")
    return _table((*head, "source"), rows)


def _shares(shares: Iterable[Share]) -> str:
    rows = (
        (share.country, share.medium, f"{share.share:.0%}", share.of, share.purpose or "any", share.as_of)
        for share in sorted(shares, key=lambda share: (share.country, -share.share))
    )
    return _table(("country", "medium", "share", "of", "purpose", "as of"), rows)
