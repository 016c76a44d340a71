"""One hub per store: the lock, and the refusal of disks on which locks and SQLite cannot be trusted."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from typing import Final

from agentconsole.errors import StoreBusy, StoreFault

LOCK_NAME: Final = "hub.lock"
_MOUNTS: Final = Path("/proc/self/mountinfo")
_OVER_NETWORK: Final = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|glusterfs|lustre|gfs2|ocfs2|beegfs|ncpfs|davfs|"
    r"fuse\.(sshfs|s3fs|rclone|glusterfs|cephfs|davfs2?|gcsfuse|goofys|smbnetfs)"
)
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def file_system(path: Path, mounts: str) -> str:
    """Return the kind of file system that a path lies on.

    Args:
        mounts: the text of ``/proc/self/mountinfo`` (proc(5)).
    """
    best, kind = "", ""
    where = str(path)
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split()
        if not dash or len(fields) < 5 or not after:
            continue
        point = _OCTAL.sub(lambda found: chr(int(found[1], 8)), fields[4])
        if (point == "/" or where == point or where.startswith(point + "/")) and len(point) >= len(best):
            best, kind = point, after.split()[0]
    return kind


def refuse_network(root: Path) -> None:
    """Refuse a store on a network file system: locks and SQLite's log are not safe there.

    Raises:
        StoreFault: it lies on one.
    """
    try:
        kind = file_system(Path(os.path.realpath(root)), _MOUNTS.read_text())
    except OSError:
        return
    if _OVER_NETWORK.fullmatch(kind):
        raise StoreFault(
            f"The store {root} lies on a network file system ({kind}), where locks cannot be trusted. "
            "Nothing was read or written.",
            "Put the store on a local disk of the server that runs the hub, or use PostgreSQL.",
        )


class HubLock:
    """An exclusive lock on ``hub.lock``; it ends with the process, whatever ends that."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._handle = -1

    def take(self) -> None:
        """Take the lock.

        Raises:
            StoreBusy: another process holds it.
        """
        handle = os.open(self._root / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 20).decode("ascii", "replace").strip()
            os.close(handle)
            raise StoreBusy(
                f"Another hub{f' (process {holder})' if holder.isdigit() else ''} holds the store {self._root}. "
                "It was not touched.",
                "Attach to that hub, or stop it first with `agentconsole stop`.",
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
