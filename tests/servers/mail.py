"""A real mail world on loopback: Dovecot (IMAP, LMTP, SASL) and Postfix (submission, MX) under a CA of its own.

``with start_mail_servers(folder) as mail:`` gives ports, the CA file and two mailboxes. Everything runs as child
processes of the caller and is stopped by process id. The servers' settings come from measurements: an auth penalty
or a failure delay would slow every later sign-in from loopback, and Postfix sleeps until its files are over two
seconds old, so they are backdated.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from tests.ports import free_port, until_listening
from tests.waiting import until_sync

DOMAIN = "example.test"
PASSWORD = "open sesame 열려라"
"""Has a space and Hangul on purpose."""
BOXES = ("support", "emily", "minsu")


def missing() -> str:
    """Return why the servers cannot run here, or an empty text."""
    if os.geteuid() != 0:
        return "Postfix needs root"
    absent = [name for name in ("dovecot", "postconf") if shutil.which(name, path="/usr/sbin:/usr/bin") is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


@dataclass
class MailServers:
    """Where everything listens. ``host`` is the name in the certificate."""

    folder: Path
    ca_file: Path
    other_ca_file: Path
    imap_port: int
    imaps_port: int
    submission_port: int
    submissions_port: int
    mx_port: int
    lmtp_port: int
    host: str = "localhost"
    password: str = PASSWORD
    _dovecot: subprocess.Popen[bytes] | None = None
    _postfix: subprocess.Popen[bytes] | None = None
    _ids: tuple[int, int] = field(default=(0, 0))

    def address(self, box: str) -> str:
        return f"{box}@{DOMAIN}"

    # -- processes -------------------------------------------------------------------------------------------

    def start_dovecot(self) -> None:
        user, group = self._ids
        self._dovecot = subprocess.Popen(
            ["/usr/sbin/dovecot", "-F", "-c", str(self.folder / "dovecot.conf")],
            user=user,
            group=group,
            extra_groups=[],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for port in (self.imap_port, self.lmtp_port):
            until_listening(port, self._dovecot, self.folder / "dovecot.log", greets=True).close()

    def stop_dovecot(self, *, kill: bool = False) -> None:
        """Stop Dovecot; with ``kill`` as a crash would, sessions and all."""
        process, self._dovecot = self._dovecot, None
        if process is None:
            return
        if not kill:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.3)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def start_postfix(self) -> None:
        etc = self.folder / "postfix" / "etc"
        daemons = subprocess.run(
            ["/usr/sbin/postconf", "-hd", "daemon_directory"], check=True, capture_output=True, text=True
        ).stdout.strip()
        self._postfix = subprocess.Popen(
            [f"{daemons}/master", "-s", "-c", str(etc)],
            env={"PATH": os.environ.get("PATH", ""), "MAIL_CONFIG": str(etc)},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until_listening(self.mx_port, self._postfix, self.folder / "postfix" / "mail.log", greets=True).close()

    def stop_postfix(self) -> None:
        process, self._postfix = self._postfix, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)

    # -- mailboxes -------------------------------------------------------------------------------------------

    def deliver(self, box: str, message: bytes, sender: str = "someone@elsewhere.test") -> None:
        """Put a mail into a box over LMTP, byte for byte but for line ends and the Received lines."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as client:
            client.sendmail(sender, [self.address(box)], message)

    def empty(self, box: str) -> None:
        """Drop a box with all its state; what comes next gets a new UIDVALIDITY.

        What an earlier test sent may still be on its way: it must not arrive in the box of the next one.
        """
        queue = self.folder / "postfix" / "queue"
        until_sync(
            lambda: not any(path.is_file() for name in ("incoming", "active") for path in (queue / name).rglob("*")),
            what="the end of what is on its way",
        )
        shutil.rmtree(self.folder / "home" / self.address(box), ignore_errors=True)

    def new_uid_validity(self, box: str) -> None:
        """Make Dovecot give the same mails new UIDs under a new UIDVALIDITY."""
        maildir = self.folder / "home" / self.address(box) / "Maildir"
        (maildir / "dovecot-uidlist").unlink()
        for index in maildir.glob("dovecot.index*"):
            index.unlink()

    def flags(self, box: str) -> set[str]:
        """Return the Maildir flags that any mail of the box has."""
        maildir = self.folder / "home" / self.address(box) / "Maildir"
        names = [path.name for part in ("cur", "new") for path in (maildir / part).glob("*")]
        return {flag for name in names if ":2," in name for flag in name.split(":2,")[1]}

    def log_text(self) -> str:
        files = [self.folder / "dovecot.log", self.folder / "postfix" / "mail.log"]
        return "\n".join(path.read_text(errors="replace") for path in files if path.exists())


@contextlib.contextmanager
def start_mail_servers(folder: Path | None = None) -> Iterator[MailServers]:
    """Run Dovecot and Postfix until the block ends.

    Args:
        folder: where to keep state; made afresh (and removed) where None. Its path must be short and open to other
            accounts, because socket paths end at 108 bytes and the servers drop their rights; pytest's ``tmp_path``
            is neither.
    """
    home = Path(tempfile.mkdtemp(prefix="acm-")) if folder is None else folder
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    # Both drop their rights and must read what was written here, whatever the developer's own mask is.
    mask = os.umask(0o022)
    try:
        servers = _prepare(home)
    finally:
        os.umask(mask)
    try:
        servers.start_dovecot()
        servers.start_postfix()
        yield servers
    finally:
        servers.stop_postfix()
        servers.stop_dovecot()
        if folder is None:
            shutil.rmtree(home, ignore_errors=True)


def _prepare(home: Path) -> MailServers:
    ca, other = trustme.CA(), trustme.CA()
    leaf = ca.issue_cert("localhost")
    ca.cert_pem.write_to_path(str(home / "ca.pem"))
    other.cert_pem.write_to_path(str(home / "other-ca.pem"))
    (home / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(str(home / "key.pem"))
    nobody = pwd.getpwnam("nobody")
    servers = MailServers(
        folder=home,
        ca_file=home / "ca.pem",
        other_ca_file=home / "other-ca.pem",
        imap_port=free_port(),
        imaps_port=free_port(),
        submission_port=free_port(),
        submissions_port=free_port(),
        mx_port=free_port(),
        lmtp_port=free_port(),
        _ids=(nobody.pw_uid, nobody.pw_gid),
    )
    (home / "users").write_text("".join(f"{servers.address(box)}:{{PLAIN}}{PASSWORD}\n" for box in BOXES))
    (home / "home").mkdir(exist_ok=True)
    (home / "dovecot.conf").write_text(_dovecot(servers))
    for path in [home, *home.iterdir()]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    _prepare_postfix(servers)
    return servers


def _dovecot(mail: MailServers) -> str:
    home = mail.folder
    return f"""
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
mail_location = maildir:~/Maildir
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
  mailbox "보낸 편지함" {{
    auto = create
  }}
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {home}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {mail.imap_port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {mail.imaps_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {mail.lmtp_port}
  }}
}}
service auth {{
  unix_listener sasl {{
    mode = 0666
  }}
}}
protocol imap {{
  mail_max_userip_connections = 100
}}
protocol lmtp {{
  postmaster_address = postmaster@{DOMAIN}
}}
"""


def _prepare_postfix(mail: MailServers) -> None:
    top = mail.folder / "postfix"
    etc, queue, data = top / "etc", top / "queue", top / "data"
    for path in (etc, queue, data):
        path.mkdir(parents=True, exist_ok=True)
    top.chmod(0o755)
    postfix = pwd.getpwnam("postfix")
    for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved"):
        _own(queue / name, postfix.pw_uid, -1, 0o700)
    _own(queue / "trace", postfix.pw_uid, -1, 0o700)
    _own(queue / "maildrop", postfix.pw_uid, _postdrop(), 0o730)
    _own(queue / "public", postfix.pw_uid, _postdrop(), 0o710)
    _own(queue / "pid", 0, -1, 0o755)
    os.chown(data, postfix.pw_uid, -1)
    shutil.copy(mail.folder / "key.pem", etc / "key.pem")
    os.chown(etc / "key.pem", 0, 0)
    (etc / "key.pem").chmod(0o600)
    boxes = [*BOXES, "ghost", "busy", "full", "drop"]
    (etc / "boxes").write_text("".join(f"{box}@{DOMAIN} {box}\n" for box in boxes))
    (etc / "rcpt").write_text(
        f"busy@{DOMAIN} 450 4.2.1 mailbox busy\n"
        f"full@{DOMAIN} 552 5.2.2 mailbox full\n"
        f"drop@{DOMAIN} 421 4.3.2 going down\n"
        f"gone@{DOMAIN} 550 5.1.1 no such mailbox\n"
    )
    (etc / "main.cf").write_text(f"""
compatibility_level = 3.7
queue_directory = {queue}
data_directory = {data}
maillog_file = {top}/mail.log
maillog_file_prefixes = {top}
myhostname = mail.{DOMAIN}
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
local_recipient_maps =
alias_maps =
smtputf8_enable = yes
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps = texthash:{etc}/boxes
virtual_transport = lmtp:inet:127.0.0.1:{mail.lmtp_port}
default_transport = error:5.1.2 no way out of the test net
relay_transport = error:5.1.2 no way out of the test net
smtpd_tls_cert_file = {mail.folder}/cert.pem
smtpd_tls_key_file = {etc}/key.pem
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {mail.folder}/run/sasl
smtpd_sasl_auth_enable = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access texthash:{etc}/rcpt
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
in_flow_delay = 0
smtpd_error_sleep_time = 0
message_size_limit = 30000000
""")
    submission = "-o smtpd_client_restrictions=permit_sasl_authenticated,reject"
    lines = [
        f"127.0.0.1:{mail.submission_port} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt {submission}",
        f"127.0.0.1:{mail.submissions_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes {submission}",
        f"127.0.0.1:{mail.mx_port} inet n - n - - smtpd -o smtpd_sasl_auth_enable=no -o smtpd_tls_security_level=none",
        "pickup unix n - n 60 1 pickup",
        "cleanup unix n - n - 0 cleanup",
        "qmgr unix n - n 300 1 qmgr",
        "tlsmgr unix - - n 1000? 1 tlsmgr",
        "rewrite unix - - n - - trivial-rewrite",
        "bounce unix - - n - 0 bounce",
        "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce",
        "verify unix - - n - 1 verify",
        "proxymap unix - - n - - proxymap",
        "lmtp unix - - n - - lmtp",
        "error unix - - n - - error",
        "retry unix - - n - - error",
        "anvil unix - - n - 1 anvil",
        "postlog unix-dgram n - n - 1 postlogd",
    ]
    (etc / "master.cf").write_text("\n".join(lines) + "\n")
    past = time.time() - 60
    for path in etc.iterdir():
        os.utime(path, (past, past))


def _postdrop() -> int:
    import grp

    return grp.getgrnam("postdrop").gr_gid


def _own(path: Path, user: int, group: int, mode: int) -> None:
    path.mkdir(exist_ok=True)
    os.chown(path, user, group)
    path.chmod(mode)
