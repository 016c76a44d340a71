"""Programs that people compare the console with, each on a box of its own kind: neomutt, aerc, posting.

Debian has the first two (``apt-get install neomutt aerc``); posting is named by ``--posting PATH``. What is not there
is said to be absent and measured nowhere.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from tests.pty.harness import PYTHON

BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("first text of a bare app")
Bare().run(mouse=False)
"""


@dataclass
class Peer:
    """A program and the keys that do in it what is measured.

    Args:
        first: text that stands on its first screen.
        opened: text that stands where a message is open; empty where the program has none.
        search: keys that search for a text, with a word in place of ``{}``; empty where it cannot.
        found: text of the hit.
    """

    name: str
    command: list[str]
    first: str
    environ: Mapping[str, str] = field(default_factory=dict)
    down: str = "j"
    open: str = "\r"
    opened: str = ""
    back: str = "q"
    search: str = ""
    found: str = ""
    word: str = ""


def maildir(folder: Path, count: int) -> None:
    """Make a Maildir of ordinary mails, the newest last; mail 7 alone has the word ``pelican``."""
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        message = EmailMessage()
        message["From"] = f"Customer {number} <c{number}@example.com>"
        message["To"] = "support@example.com"
        message["Subject"] = f"Question {number} about an order" + (" pelican" if number == 7 else "")
        message["Date"] = (
            f"Tue, {1 + number // 1440 % 28:02d} Nov 2025 {number // 60 % 24:02d}:{number % 60:02d}:00 +0000"
        )
        message["Message-ID"] = f"<m{number}@example.com>"
        message.set_content(
            f"This is the text of mail {number}.\n\n" + "It was due on Friday and is not here yet. " * 12
        )
        (folder / "cur" / f"{1700000000 + number}.M{number}.host:2,S").write_bytes(message.as_bytes())


def bare() -> Peer:
    return Peer("bare Textual app", [PYTHON, "-c", BARE], "first text")


def peers(folder: Path, count: int, posting: str) -> Iterator[Peer]:
    """Set up whichever peers are there, on a Maildir of ``count`` mails."""
    box = folder / "mail" / "INBOX"
    maildir(box, count)
    if neomutt := shutil.which("neomutt"):
        rc = folder / "neomuttrc"
        rc.write_text(
            f"set folder='{folder}/mail'\nset header_cache='{folder}/hcache'\nset mbox_type=Maildir\n"
            "set sleep_time=0\nset sort=reverse-date\nset charset=utf-8\nset mail_check=0\n"
            "set wait_key=no\nset quit=yes\n"
        )
        newest = f"Question {count - 1} about"
        yield Peer(
            "neomutt",
            [neomutt, "-n", "-F", str(rc), "-f", str(box)],
            newest,
            {"HOME": str(folder)},
            opened="text of mail",
            search="/{}\r",
            found="pelican",
            word="pelican",
        )
    if aerc := shutil.which("aerc"):
        config = folder / "config" / "aerc"
        config.mkdir(parents=True)
        accounts = config / "accounts.conf"
        accounts.write_text(f"[bench]\nsource = maildir://{folder}/mail\ndefault = INBOX\nfrom = Us <us@example.com>\n")
        accounts.chmod(0o600)
        environ = {
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "data"),
        }
        yield Peer("aerc", [aerc], f"Question {count - 1} about", environ, opened="text of mail")
    if posting:
        yield Peer("posting", [posting], "Collection", {"HOME": str(folder)})
