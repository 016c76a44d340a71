"""What a command prints: data on stdout, talk on stderr, and never a control character from outside."""

from __future__ import annotations

from typing import TextIO

import msgspec

from agentconsole.errors import AgentConsoleError
from agentconsole.text.sanitise import ascii_json_escape, one_line, sanitise

Fields = dict[str, object]


class Output:
    """The two streams of a command.

    Args:
        json: print one JSON object instead of lines for people.
    """

    def __init__(self, stdout: TextIO, stderr: TextIO, *, json: bool) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self.json = json

    def object(self, fields: Fields) -> None:
        """Print the one JSON object, safe on a terminal too: Cc, Cf and Cs are escaped."""
        text = msgspec.json.format(msgspec.json.encode(fields), indent=1).decode("utf-8")
        self._stdout.write(ascii_json_escape(text) + "\n")

    def line(self, text: str = "") -> None:
        """Print one line for people; spaces before it stay."""
        self._stdout.write(_line(text))

    def block(self, text: str, indent: str = "  ") -> None:
        """Print a text of several lines, indented so that nobody's text can pass for a line of ours."""
        for line in sanitise(text).rstrip("\n").split("\n"):
            self._stdout.write(f"{indent}{line}".rstrip() + "\n")

    def raw(self, text: str) -> None:
        """Print a text of our own as it is."""
        self._stdout.write(text)

    def talk(self, text: str) -> None:
        """Tell something that is not the answer: progress, hints. Spaces before it stay."""
        self._stderr.write(_line(text))
        self._stderr.flush()

    def result(self, fields: Fields, *lines: str) -> None:
        """Print the answer: the fields with ``--json``, else the lines."""
        if self.json:
            self.object(fields)
        else:
            for line in lines:
                self.line(line)

    def error(self, exc: AgentConsoleError) -> None:
        if self.json:
            self.object({"error": {"code": exc.code, "message": exc.message, "hint": exc.hint}})
            return
        self._stderr.write(sanitise(exc.message).rstrip("\n") + "\n")
        if exc.hint:
            self._stderr.write(sanitise(exc.hint).rstrip("\n") + "\n")


def _line(text: str) -> str:
    indent = " " * (len(text) - len(text.lstrip(" ")))
    return f"{indent}{one_line(text, 2000)}".rstrip() + "\n"
