"""A certificate authority that lives as long as the rehearsal and is trusted by its builds alone."""

import os
import re
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import certifi
import trustme

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE")


class Authority:
    """Issues certificates on demand; ``bundle`` holds its own and every one that this machine trusts."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA(organization_name="Rehearsal", organization_unit_name="for builds only")
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self.bundle = folder.absolute() / "certificates.pem"
        own = self._authority.cert_pem.bytes().decode()
        self.bundle.write_text("\n".join(dict.fromkeys([own.strip(), *_trusted()])) + "\n")

    def context(self) -> ssl.SSLContext:
        """Return the context of a server that has a certificate for whatever host it is asked for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def choose(connection: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> int | None:
            if not host:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = self._issued(host)
            return None

        context.sni_callback = choose
        return context

    def _issued(self, host: str) -> ssl.SSLContext:
        with self._lock:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]


def _trusted() -> Iterator[str]:
    """Yield the certificates this machine trusts, a company's own among them."""
    paths = ssl.get_default_verify_paths()
    files = [os.environ.get(name) for name in BUNDLES] + [paths.cafile, paths.openssl_cafile, certifi.where()]
    for name in dict.fromkeys(filter(None, files)):
        try:
            yield from CERTIFICATE.findall(Path(name).read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
