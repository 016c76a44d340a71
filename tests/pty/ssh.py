"""The console over SSH and mosh, hung up, suspended and resized: ``python -m tests.pty.ssh FOLDER``.

Prints the table of docs/ssh.md. ``FOLDER`` holds Debian's packages openssh-server, mosh and libprotobuf32, unpacked and
not installed (``apt-get download`` and ``dpkg -x``), so that nothing of the system is changed. The servers run as
ordinary processes on loopback, with a host key, a key and a configuration that are thrown away. Started by root, sshd
wants a user ``sshd`` to be known: a copy of ``/etc/passwd`` with one, mounted over it inside ``unshare -m``, will do.
"""

from __future__ import annotations

import base64
import contextlib
import getpass
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.ports import free_port
from tests.pty.harness import PYTHON, ROOT, Terminal
from tests.waiting import until_sync

SIZE: Final = (120, 36)
COPY: Final = b"\x1b]52;c;" + base64.b64encode(b"k0@example.com")
NOTICE: Final = b"\x1b]9;agentconsole"
_OSC: Final = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")

_SERVER: Final = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile {folder}/pid
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitUserEnvironment no
"""


class Server:
    """An sshd of one's own.

    Args:
        packages: the unpacked packages.
        folder: for its keys, its log and what the console leaves.
    """

    def __init__(self, packages: Path, folder: Path) -> None:
        self.packages, self.folder, self.port = packages, folder, free_port()
        for name in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        (folder / "config").write_text(_SERVER.format(port=self.port, folder=folder))
        # A server that was started by root wants this folder for its unprivileged half.
        self._made = os.geteuid() == 0 and not Path("/run/sshd").exists()
        if self._made:
            Path("/run/sshd").mkdir(mode=0o755)
        command = [str(packages / "usr/sbin/sshd"), "-D", "-f", str(folder / "config"), "-E", str(folder / "log")]
        self._process = subprocess.Popen(command)
        until_sync(lambda: b"listening" in self._log() or self._process.poll() is not None, what="sshd listens")
        if self._process.poll() is not None:
            raise RuntimeError(self._log().decode())

    def _log(self) -> bytes:
        return (self.folder / "log").read_bytes() if (self.folder / "log").exists() else b""

    def ssh(self, *options: str) -> list[str]:
        found = ["ssh", "-p", str(self.port), "-i", str(self.folder / "key"), "-F", "none", "-o", "LogLevel=VERBOSE"]
        found += ["-E", str(self.folder / "line")]
        found += ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.folder}/known", *options]
        return found

    def line(self, scenario: str, environ: str, *options: str) -> list[str]:
        """Return the command that shows the console at the other end of an SSH line."""
        return [*self.ssh("-tt", *options), f"{getpass.getuser()}@127.0.0.1", self.command(scenario, environ)]

    def command(self, scenario: str, environ: str) -> str:
        base = f"cd {ROOT}; LANG=C.UTF-8 COLORTERM=truecolor PYTHONPATH={ROOT} {environ}"
        return f"{base} exec {PYTHON} -m tests.ui.demo_app en {scenario}"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        if self._made:
            Path("/run/sshd").rmdir()


def consoles(mark: str) -> list[int]:
    """Return the processes whose environment holds a mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if b"tests.ui.demo_app" in command and mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


@contextlib.contextmanager
def shown(command: Sequence[str], environ: dict[str, str] | None = None) -> Iterator[Terminal]:
    with Terminal(command, SIZE, environ or {}) as terminal:
        terminal.sees("agentconsole", "e-mail+")
        terminal.quiet(1.0)
        yield terminal


class Way:
    """One way to the console.

    Args:
        start: returns the command, given a scenario and variables for the console.
        mark: is in the environment of its processes.
        cut: cuts the line while the console runs; None: it cannot be cut.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[str, str], list[str]],
        folder: Path,
        cut: Callable[[Terminal], None] | None,
        environ: dict[str, str] | None = None,
    ) -> None:
        self.name, self.start, self.folder, self.cut, self.environ = name, start, folder, cut, environ or {}
        self.mark = re.sub(r"\W", "_", name)

    def cells(self) -> list[str]:
        return [*self.bytes(), *self.ends()]

    def command(self, scenario: str, more: str = "") -> list[str]:
        return self.start(scenario, f"CONSOLE_KEPT={self.kept} CONSOLE_MARK={self.mark} {more}")

    @property
    def kept(self) -> Path:
        return self.folder / f"kept-{self.mark}"

    def bytes(self) -> list[str]:
        with shown(self.command("many"), self.environ) as terminal:
            first = len(terminal.raw)
            down = statistics.median(terminal.press("j", 0.4) for _ in range(8))
            before = len(terminal.raw)
            terminal.press("gg", 0.6)
            terminal.press("y", 0.8)
            copied = COPY in terminal.raw[before:]
            terminal.press("\x1b[O", 0.4)
            for pid in consoles(self.mark):
                os.kill(pid, signal.SIGUSR1)
            terminal.quiet(1.0)
            sent = bytes(terminal.raw[before:])
            notice, bell = NOTICE in sent, b"\x07" in _OSC.sub(b"", sent)
            terminal.press("\x1b[I", 0.4)
            terminal.press("\rr", 1.0)
            terminal.press("abc", 0.9)
            letter = statistics.median(terminal.press(character, 0.4) for character in "defgh")
            terminal.resize(80, 24)
            terminal.until(lambda: "abcdefgh" in terminal.text and "Send" in terminal.text, what="another size")
            resized = all(len(line) <= 80 for line in terminal.text.splitlines())
            terminal.press("\x0e\x1b\x1b", 0.8)
            through = ("yes" if found else "no" for found in (copied, bell, notice, resized))
            terminal.send("\x11")
            terminal.ended()
            return [str(first), f"{down:.0f}", f"{letter:.0f}", *through, self.wire(len(terminal.raw))]

    def wire(self, drawn: int) -> str:
        """Return how many bytes of the whole came over the line for each that reached the terminal, where SSH says."""
        log = self.folder / "line"
        told = re.findall(r"received (\d+) bytes", log.read_text() if log.exists() else "")
        log.unlink(missing_ok=True)
        return f"{int(told[-1]) / drawn:.2f}" if told and "mosh" not in self.name else ""

    def ends(self) -> list[str]:
        """Type half a sentence, cut the line, and see what is left: the draft, and no process."""
        if self.cut is None:
            return ["", ""]
        self.kept.unlink(missing_ok=True)
        with shown(self.command("emily"), self.environ) as terminal:
            terminal.press("\rr", 1.0)
            terminal.press("half a sentence", 1.0)
            began = time.monotonic()
            self.cut(terminal)
            left: list[int] = consoles(self.mark)
            while left and time.monotonic() < began + 20:
                with contextlib.suppress(OSError, ValueError):  # a terminal that was closed has nothing to read
                    terminal.pump(0.05)
                left = consoles(self.mark)
            took = time.monotonic() - began
            for pid in left:
                os.kill(pid, signal.SIGTERM)
        draft = self.kept.exists() and "half a sentence" in self.kept.read_text()
        return [f"{len(left)} left after {took:.1f} s", "kept" if draft else "lost"]


def kill_client(terminal: Terminal) -> None:
    os.kill(terminal.pid, signal.SIGKILL)


def hang_up(terminal: Terminal) -> None:
    terminal.hang_up()


def kill_server_side(name: str) -> Callable[[Terminal], None]:
    """Kill the process at the other end that holds the line of the newest console."""

    def cut(_: Terminal) -> None:
        for pid in consoles(name):
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            while parent > 1 and b"sshd" not in Path(f"/proc/{parent}/cmdline").read_bytes():
                parent = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
            if parent > 1:
                os.kill(parent, signal.SIGKILL)

    return cut


def main(packages: Path) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(packages, folder)
        try:
            ways = [
                Way("ssh", lambda s, e: server.line(s, e), folder, kill_client),
                Way("ssh, terminal closed", lambda s, e: server.line(s, e), folder, hang_up),
                Way("ssh, server's half killed", lambda s, e: server.line(s, e), folder, None),
                Way("ssh -C", lambda s, e: server.line(s, e, "-C"), folder, kill_client),
            ]
            ways[2].cut = kill_server_side(ways[2].mark)
            libraries = {"LD_LIBRARY_PATH": str(packages / "usr/lib/x86_64-linux-gnu")}
            mosh = packages / "usr/bin/mosh"
            if mosh.exists():

                def by_mosh(scenario: str, environ: str) -> list[str]:
                    there = f"LD_LIBRARY_PATH={libraries['LD_LIBRARY_PATH']} {packages}/usr/bin/mosh-server"
                    return [
                        str(mosh),
                        f"--ssh={' '.join(server.ssh())}",
                        f"--client={packages}/usr/bin/mosh-client",
                        f"--server=env LANG=C.UTF-8 {there}",
                        "--bind-server=127.0.0.1",
                        f"{getpass.getuser()}@127.0.0.1",
                        "--",
                        "sh",
                        "-c",
                        server.command(scenario, environ),
                    ]

                ways.append(Way("mosh", by_mosh, folder, kill_client, libraries))
            for way in ways:
                try:
                    rows.append((way.name, way.cells()))
                except AssertionError as error:
                    sys.stderr.write(f"{way.name}: {error}\n")
        finally:
            server.stop()
    print("| | first screen | cursor key | letter | copy | bell | notice | resize | on the line | line cut | draft |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, cells in rows:
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    if shutil.which("ssh") is None or len(sys.argv) != 2:
        sys.exit("usage: python -m tests.pty.ssh FOLDER (and ssh has to be installed)")
    main(Path(sys.argv[1]).resolve())
