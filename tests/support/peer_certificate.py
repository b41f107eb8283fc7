"""Self-signed certificates for servers of tests, valid or expired, made with openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl makes the certificates")

_SETTINGS = """[ca]
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


def make_certificate(folder: Path, *, expired: bool) -> tuple[Path, Path]:
    """Key and certificate for `localhost`, readable by everybody. `expired`: it was good until 2021."""
    key, asked, certificate = folder / "key.pem", folder / "asked.pem", folder / "certificate.pem"
    settings = folder / "ca.cnf"
    (folder / "index").write_text("")
    settings.write_text(_SETTINGS.format(folder=folder))
    end = "20210101000000Z" if expired else "20991231000000Z"

    def openssl(*arguments: str) -> None:
        subprocess.run([OPENSSL, *arguments], check=True, capture_output=True)

    openssl(
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(asked),
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
    )  # fmt: skip
    openssl(
        "ca", "-batch", "-config", str(settings), "-selfsign", "-keyfile", str(key), "-in", str(asked),
        "-out", str(certificate), "-startdate", "20200101000000Z", "-enddate", end, "-notext",
    )  # fmt: skip
    key.chmod(0o644)
    certificate.chmod(0o644)
    return key, certificate
