"""How long certificates are valid still: of files, and of addresses that serve them."""

import socket
import ssl
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from pipelines.operator.doctor.finding import Finding, miss, ok, warn

DAYS_WANTED = 21
SECONDS = 10.0
HTTPS = 443
RENEW = "renew it; Caddy does so by itself where it can be reached by its name"


def examine_certificates(
    urls: Iterable[str], files: Iterable[Path], now: datetime
) -> Iterator[Finding]:
    """Look at each.

    Args:
        urls: as in `https://signals.example.org`; believed as this machine believes them.
        files: PEM; the first certificate of each.
        now: UTC.
    """
    for url in urls:
        yield _served(url, now)
    for file in files:
        try:
            first = x509.load_pem_x509_certificates(file.read_bytes())[0]
        except (OSError, ValueError) as error:
            yield miss(f"certificate {file}", f"cannot be read: {error}", "name a PEM file")
            continue
        yield _days(str(file), first, now)


def _served(url: str, now: datetime) -> Finding:
    parts = urlsplit(url)
    host, port = parts.hostname or url, parts.port or HTTPS
    try:
        with (
            socket.create_connection((host, port), timeout=SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured,
        ):
            der = secured.getpeercert(binary_form=True) or b""
    except ssl.SSLCertVerificationError as error:
        return miss(f"certificate {url}", f"is not believed: {error.verify_message}", RENEW)
    except OSError as error:
        return miss(f"certificate {url}", f"no answer by TLS: {error}",
                    "start Caddy, and let port 443 through")  # fmt: skip
    return _days(url, x509.load_der_x509_certificate(der), now)


def _days(of: str, certificate: x509.Certificate, now: datetime) -> Finding:
    days = (certificate.not_valid_after_utc - now).days
    subject = f"certificate {of}"
    if certificate.not_valid_after_utc <= now:
        return miss(subject, f"expired {-days} days ago", RENEW)
    if days < DAYS_WANTED:
        return warn(subject, f"valid for {days} days", RENEW)
    return ok(subject, f"valid for {days} days")
