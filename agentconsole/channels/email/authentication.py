"""Who really sent a mail, as our own server saw it: Authentication-Results (RFC 8601). Pure, bounded, never generous.

A sender can write any header, so only what our own server put there counts: fields under its configured name, and of
those the ones that nobody else can have written. Each hop writes above what came in (RFC 5321 section 4.4), so all
fields above the newest Received of an SMTP hop are ours; where our server writes below it, only the topmost of each
name counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from agentconsole.channels.email.headers import VALUE_LIMIT, Block
from agentconsole.domain.model import Address, Trust

FIELD: Final = "authentication-results"
NO_NAME: Final = "none"
"""In ``authserv_id``: our server writes no name of its own (Microsoft 365), only results."""

LOOKED_AT: Final = 200
"""Fields of one mail that are looked at; a delivery writes a handful."""
RESULTS_LIMIT: Final = 50
LEARNED_FROM: Final = 3
"""Mails from which the name of our server is learned, at least."""

_TOKEN: Final = re.compile(r'[^\s;="()]+')
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,100}")
_DOMAIN: Final = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_METHOD: Final = re.compile(r"([a-z0-9-]{1,40})(?:/\d{1,5})?")
_BY_LMTP: Final = re.compile(r"from \S+ by \S+ with (?:UTF8)?LMTPS?A?\b.*", re.IGNORECASE)


class Result(NamedTuple):
    """What one method said. ``properties`` have lower-case names such as ``header.d``."""

    method: str
    value: str
    properties: dict[str, str]


class Verdict(NamedTuple):
    """What our server says about a sender.

    ``signer`` is by what the sender would be known again: the domain that signed, else ``spf:`` and the domain whose
    servers may send for it; empty where there is nothing.
    """

    trust: Trust
    signer: str


NOTHING: Final = Verdict(Trust.CLAIMED, "")


def names(authserv_id: str) -> tuple[str, ...]:
    """Read the option: one name, or several with spaces or commas between them; ``*.example.com`` is any below it."""
    return tuple(dict.fromkeys(re.split(r"[\s,]+", authserv_id.strip().lower()))) if authserv_id.strip() else ()


def judge(block: Block, sender: Address, authserv_id: str) -> Verdict:
    """Say how sure our own server is that a mail is from its only sender.

    Args:
        block: the mail's header.
        sender: the one clean mailbox of its one From; nothing else may be asked about.
        authserv_id: the configured name or names of our server.
    """
    domain = sender.value.rpartition("@")[2]
    results = [result for field in ours(block, names(authserv_id)) for result in field]
    dmarc = [result for result in results if result.method == "dmarc"]
    passed = [result for result in results if result.method == "dkim" and result.value == "pass"]
    signers = [found for result in passed if (found := _signer(result))]
    aligned = [signer for signer in signers if _covers(signer, domain)]
    signer = next(iter(aligned), next(iter(signers), _spf(results)))
    if dmarc:
        if all(result.value == "pass" and _covers(_from(result), domain) for result in dmarc):
            return Verdict(Trust.VERIFIED, aligned[0] if aligned else domain)
        if any(result.value in ("fail", "permerror") for result in dmarc):
            return Verdict(Trust.AMBIGUOUS, signer)  # said to be forged: no thread token may mend that
    return Verdict(Trust.VERIFIED if aligned else Trust.CLAIMED, signer)


def ours(block: Block, wanted: Sequence[str]) -> list[list[Result]]:
    """Return the results of the fields that our own server wrote, topmost first."""
    above: list[list[Result]] = []
    first: dict[str, list[Result]] = {}
    ended = False
    for name, value in block.fields[:LOOKED_AT]:
        if name == "received":
            ended = ended or not _local(value)
        elif name == FIELD:
            server, results = read(value)
            as_ours = next((one for one in wanted if _is(server, one)), None)
            if as_ours is None:
                continue
            if not ended:
                above.append(results)
            first.setdefault(as_ours, results)
    return above or list(first.values())


def topmost(block: Block) -> str:
    """Return under which name the topmost results of a mail stand (``none``: under none); empty: there are none."""
    for name, value in block.fields[:LOOKED_AT]:
        if name == FIELD:
            return read(value)[0] or NO_NAME
    return ""


def learned(tops: Iterable[str]) -> str:
    """Return the name under which our server writes, from ``topmost`` of its mails; empty where they tell nothing.

    A sender can put any name into one mail; into all of them only the server can. Yahoo and others write under a
    name for each machine: they share all but the first word.
    """
    found = [name for name in tops if name]
    if len(found) < LEARNED_FROM:
        return ""
    if len(set(found)) == 1:
        return found[0]
    parents = {name.partition(".")[2] for name in found}
    parent = parents.pop()
    return f"*.{parent}" if not parents and "." in parent else ""


# -- reading one field --------------------------------------------------------------------------------------


def read(value: bytes) -> tuple[str, list[Result]]:
    """Read one field: the server's name in lower case (empty: it has none) and what it says.

    A field whose quotes or comments do not close says nothing, and so does a result in which anything is strange.
    """
    text = value.decode("latin-1")
    statements = _statements(text) if len(value) <= VALUE_LIMIT else None
    if statements is None:
        return _torn_name(text), []
    if not statements:
        return "", []
    head, rest = statements[0], statements[1:]
    if "=" in head:
        head, rest = [], statements
    if len(head) > 2 or (len(head) == 2 and not head[1].isdigit()):
        return "", []
    server = head[0].strip('"').lower() if head else ""
    return server, [result for words in rest[:RESULTS_LIMIT] if (result := _result(words)) is not None]


def _torn_name(text: str) -> str:
    """Return whose a broken field claims to be: it must not let one below it take its place."""
    match = _TOKEN.match(text.strip())
    if match is None or text.strip()[match.end() :].lstrip().startswith("="):
        return ""
    return match.group().lower()


def _statements(text: str) -> list[list[str]] | None:
    """Cut a field at its semicolons into words and equals signs, comments left out; None where it does not close."""
    found: list[list[str]] = [[]]
    at, size = 0, len(text)
    while at < size:
        mark = text[at]
        if mark.isspace():
            at += 1
        elif mark == "(":
            end = _comment(text, at)
            if end < 0:
                return None
            at = end
        elif mark == '"':
            end = _quoted(text, at)
            if end < 0:
                return None
            tail = _TOKEN.match(text, end)
            if tail is not None and not tail.group().startswith("@"):
                return None  # words that touch a quotation: a name that broke out of its quotes
            found[-1].append(text[at : tail.end() if tail else end])
            at = tail.end() if tail else end
        elif mark == ";":
            found.append([])
            at += 1
        elif mark == "=":
            found[-1].append("=")
            at += 1
        elif (match := _TOKEN.match(text, at)) is not None:
            found[-1].append(match.group())
            at = match.end()
        else:
            return None  # a bracket that closes nothing
    return [words for number, words in enumerate(found) if words or number == 0]


def _comment(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        mark = text[at]
        if mark == "\\":
            at += 1
        elif mark == "(":
            depth += 1
        elif mark == ")":
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return -1


def _quoted(text: str, at: int) -> int:
    at += 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            return at + 1
        at += 1
    return -1


def _result(words: list[str]) -> Result | None:
    """Read ``method=result name=value …``; None where any of it is not that."""
    if len(words) % 3 or any((number % 3 == 1) != (word == "=") for number, word in enumerate(words)):
        return None
    pairs = [(words[n].lower(), words[n + 2]) for n in range(0, len(words), 3)]
    if not pairs:
        return None
    method = _METHOD.fullmatch(pairs[0][0])
    if method is None:
        return None
    properties: dict[str, str] = {}
    for name, value in pairs[1:]:
        if not _NAME.fullmatch(name) or (name in properties and name.startswith(("header.", "smtp."))):
            return None
        properties[name] = value
    return Result(method.group(1), pairs[0][1].strip('"').lower(), properties)


# -- what it means ------------------------------------------------------------------------------------------


def _is(server: str, wanted: str) -> bool:
    if wanted == NO_NAME:
        return not server
    if wanted.startswith("*."):
        return server.endswith(wanted[1:])
    return bool(server) and server == wanted


def _local(received: bytes) -> bool:
    """Say whether a Received is of a delivery inside our own server: no mail from elsewhere comes by LMTP.

    What a stranger calls himself stands in such a line too, so it must be exactly of this form.
    """
    text, depth = [], 0
    for mark in received[:2000].decode("latin-1"):
        depth += (mark == "(") - (mark == ")")
        if depth == 0 and mark != ")":
            text.append(mark)
    words = " ".join("".join(text).split()).split(" ")
    lower = [word.lower() for word in words]
    once = all(lower.count(word) == 1 for word in ("from", "by", "with"))
    return once and _BY_LMTP.fullmatch(" ".join(words)) is not None


def _covers(signer: str, domain: str) -> bool:
    """Say whether a domain speaks for another: it is the same or a parent, and no top-level domain."""
    return bool(signer) and "." in signer and (domain == signer or domain.endswith("." + signer))


def _domain(text: str, *, mailbox: bool) -> str:
    text = text.strip('"')
    if mailbox:
        text = text.rpartition("@")[2]
    try:
        text = text.encode("latin-1").decode("utf-8")
        if not text.isascii():
            text = text.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    text = text.lower().removesuffix(".")
    return text if _DOMAIN.fullmatch(text) else ""


def _signer(result: Result) -> str:
    """Return the domain that signed. ``header.i`` is it or one below it (RFC 6376 section 3.5), so no less strict."""
    if "header.d" in result.properties:
        return _domain(result.properties["header.d"], mailbox=False)
    return _domain(result.properties.get("header.i", ""), mailbox=True)


def _from(result: Result) -> str:
    return _domain(result.properties.get("header.from", ""), mailbox=True)


def _spf(results: Iterable[Result]) -> str:
    for result in results:
        if result.method == "spf" and result.value == "pass":
            domain = _domain(result.properties.get("smtp.mailfrom", ""), mailbox=True)
            if domain:
                return f"spf:{domain}"
    return ""
