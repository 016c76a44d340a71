"""Plain questions on a terminal or a pipe, and what makes an answer right."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentconsole.cli.context import Context
from agentconsole.errors import UsageError

if TYPE_CHECKING:
    from agentconsole.config.keys import Key

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class Talk:
    """Questions on stderr, answers from stdin.

    Args:
        silent: ask nothing and take the defaults.
    """

    def __init__(self, context: Context, *, silent: bool) -> None:
        self._context = context
        self.silent = silent

    def say(self, text: str) -> None:
        self._context.out.talk(text)

    def ask(self, question: str, default: str = "", check: Callable[[str], str] = lambda _answer: "") -> str:
        """Ask until the answer is right.

        Args:
            check: returns what is wrong with an answer, or an empty text.

        Raises:
            UsageError: no default and nobody to ask, or the answers ended.
        """
        if self.silent:
            wrong = "an answer is missing" if not default else check(default)
            if wrong:
                raise UsageError(f"{question}: {wrong}. Nothing was written.", "Give it as an option; see --help.")
            return default
        while True:
            answer = self._read(f"{question}{f' [{default}]' if default else ''}: ") or default
            wrong = "an answer is needed" if not answer else check(answer)
            if not wrong:
                return answer
            self.say(f"  {wrong}.")

    def yes(self, question: str, *, default: bool) -> bool:
        if self.silent:
            return default
        answer = self._read(f"{question} [{'Y/n' if default else 'y/N'}]: ").lower()
        return default if not answer else answer.startswith(("y", "ㅛ", "네", "예"))

    def hidden(self, question: str) -> str:
        """Ask for a secret; on a terminal it is not shown."""
        if self._context.world.stdin.isatty():
            return getpass.getpass(f"{question}: ", stream=self._context.world.stderr)
        return self._read(f"{question}: ")

    def _read(self, prompt: str) -> str:
        stderr = self._context.world.stderr
        stderr.write(prompt)
        stderr.flush()
        line = self._context.world.stdin.readline()
        if not line:
            raise UsageError("The answers ended before the set-up was done. Nothing was written.", "Try again.")
        return line.strip()


# -- checks of answers: each returns what is wrong, or an empty text ------------------------------------------


def is_name(text: str) -> str:
    return "" if NAME.fullmatch(text) else "letters, digits, - and _ only"


def one_of(*choices: str) -> Callable[[str], str]:
    return lambda text: "" if text in choices else "one of " + ", ".join(choices)


def is_zone(text: str) -> str:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return "there is no such time zone; for example Asia/Seoul"
    return ""


def is_region(text: str) -> str:
    return "" if re.fullmatch(r"[A-Z]{2}", text) else "two capital letters, e.g. KR"


def typed(key: Key, text: str) -> Any:
    """Read an answer as the key's type; a wrong one is told by the check of the whole configuration."""
    if key.type == "whole number" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if key.type == "number" and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    if key.type == "true or false" and text in ("true", "false"):
        return text == "true"
    if key.type.startswith("list of"):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
