"""Verified TLS or nothing, and connection errors as sentences that say what to do."""

from __future__ import annotations

import socket
import ssl

from agentconsole.channels.email.headers import one_line
from agentconsole.errors import ChannelFailure, ConfigError, SignInFailed, TemporaryFailure
from agentconsole.secret import Secret

_NAME_MISMATCH = (62, 64)
"""OpenSSL X509_V_ERR_HOSTNAME_MISMATCH and _IP_ADDRESS_MISMATCH."""
_EXPIRED = (9, 10)


def context(ca_file: str) -> ssl.SSLContext:
    """Return a context that checks chain and host name. Reads files: call it on a worker thread.

    Raises:
        SignInFailed: the CA file cannot be read.
    """
    try:
        found = ssl.create_default_context(cafile=ca_file or None)
    except OSError as exc:
        raise SignInFailed(
            f"The CA file {ca_file} cannot be used: {one_line(str(exc), 200)}.",
            "Check ca_file; it has to be a PEM file that the service account can read.",
            reason="ca_file",
        ) from exc
    found.minimum_version = ssl.TLSVersion.TLSv1_2
    return found


def reveal(secret: Secret) -> str:
    """Read a password. Blocks: call it on a worker thread.

    Raises:
        SignInFailed: it cannot be read.
    """
    try:
        return secret.reveal()
    except ConfigError as exc:
        raise SignInFailed(exc.message, exc.hint, reason="secret_missing") from exc


def cause_of(exc: BaseException) -> BaseException:
    """Return the innermost cause that says more than ``exc`` itself."""
    seen = 0
    while exc.__cause__ is not None and seen < 8:
        exc, seen = exc.__cause__, seen + 1
    return exc


def explain(exc: BaseException, host: str, port: int) -> ChannelFailure:
    """Turn a failed connection into a failure with sentence, hint and reason. No password had left."""
    exc = cause_of(exc)
    where = f"{host}:{port}"
    if isinstance(exc, ssl.SSLCertVerificationError):
        if exc.verify_code in _NAME_MISMATCH:
            return TemporaryFailure(
                f"{where} shows a certificate for another name; nothing was sent to it.",
                "Write the host as it stands in the certificate, or have the certificate renewed for this name.",
                reason="tls_name",
            )
        if exc.verify_code in _EXPIRED:
            return TemporaryFailure(
                f"The certificate of {where} is not valid today; nothing was sent to it.",
                "Ask the server's operator to renew it, and check this machine's clock.",
                reason="tls_expired",
            )
        return TemporaryFailure(
            f"The certificate of {where} comes from nobody we trust ({exc.verify_message}); nothing was sent to it.",
            "If it is your own CA, name its PEM file with ca_file.",
            reason="tls_untrusted",
        )
    if isinstance(exc, ssl.SSLError):
        return TemporaryFailure(
            f"No TLS with {where}: {one_line(exc.reason or str(exc), 100)}; nothing was sent to it.",
            'Check port and tls: 993 and 465 are "implicit", 143 and 587 are "starttls".',
            reason="tls_failed",
        )
    if isinstance(exc, socket.gaierror):
        return TemporaryFailure(
            f"There is no server named {host}, or the name service does not answer.",
            "Check host for a typing error.",
            reason="unknown_host",
        )
    if isinstance(exc, ConnectionRefusedError):
        return TemporaryFailure(
            f"Nothing listens on {where}.", "Check port, and whether the server is up.", reason="unreachable"
        )
    if isinstance(exc, TimeoutError):
        return TemporaryFailure(
            f"{where} did not answer in time.", "Check port and firewall; it is tried again.", reason="unreachable"
        )
    what = one_line(str(exc), 200) or type(exc).__name__
    return TemporaryFailure(f"The line to {where} failed: {what}.", "It is tried again.", reason="unreachable")


def no_starttls(host: str, port: int) -> ChannelFailure:
    return TemporaryFailure(
        f"{host}:{port} offers no STARTTLS, so no password was sent to it.",
        'Check port and tls; a server that wants TLS from the first byte needs tls = "implicit".',
        reason="tls_missing",
    )


def refused(host: str, user: str, answer: str) -> SignInFailed:
    return SignInFailed(
        f"{host} refused to sign in {user}: {one_line(answer, 200).rstrip('.')}.",
        "Check user and password; some providers want an app password.",
    )
