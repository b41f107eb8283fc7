"""Certificates made on the spot by the program openssl, for servers on a socket of this machine."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

OPENSSL = shutil.which("openssl")
"""None: not installed; tests that need a certificate are skipped."""

needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl makes the certificates")

CA_SETTINGS = """[ca]
default_ca = test
[test]
database = {folder}/index
new_certs_dir = {folder}
serial = {folder}/serial
rand_serial = yes
policy = names
default_md = sha256
copy_extensions = copy
[names]
commonName = supplied
"""


VALID = ("20200101000000Z", "20991231000000Z")
EXPIRED = ("20200101000000Z", "20200102000000Z")


def make_certificate(folder: Path, name: str, dates: tuple[str, str] = VALID) -> tuple[Path, Path]:
    """Key and self-signed certificate for `name` (`DNS:localhost`), readable by everybody."""
    key, asked, cert = folder / "key.pem", folder / "asked.pem", folder / "cert.pem"
    (folder / "index").touch()
    (folder / "ca.cnf").write_text(CA_SETTINGS.format(folder=folder))

    def openssl(*arguments):
        subprocess.run([OPENSSL, *arguments], check=True, capture_output=True)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key)
    openssl("req", "-new", *new, "-out", asked, "-subj", "/CN=test", "-addext", f"subjectAltName={name}")
    signed = ("-config", folder / "ca.cnf", "-selfsign", "-keyfile", key, "-notext")
    openssl("ca", "-batch", *signed, "-in", asked, "-out", cert, "-startdate", dates[0], "-enddate", dates[1])
    key.chmod(0o644)
    cert.chmod(0o644)
    return key, cert


def certificate(folder: Path, name: str, dates: tuple[str, str] = VALID) -> tuple[ssl.SSLContext, Path]:
    """The same, as a server uses it and as a file."""
    key, cert = make_certificate(folder, name, dates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert
