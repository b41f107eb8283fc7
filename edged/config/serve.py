"""The shape of serve.yaml, the file of `edged serve`: every key, its default, its range and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, model_validator

from edged.config.base import Directory, File, Section, Text, Timeout, conflict
from edged.config.load import parse_file, read_content
from edged.config.paths import absolute, with_absolute_paths
from edged.config.recognition_section import Calls, CloudId
from edged.config.schema import LogConfig

_WHERE_FROM = "Name the configuration with -c FILE; `edged serve --init DIR` makes one with fresh keys."


class AppConfig(Section):
    """One application: a library of its own, found by its keys (or, privately, by its appid)."""

    id: CloudId = Field(description="The appid. Its keys stand under this name in the secrets file.")
    private: bool = Field(
        False,
        description="Also served at `/face-api/v3/…?appid=`, to anybody who can reach the port: no keys.",
    )
    qps: float = Field(0, ge=0, le=1000, description="Paid calls a second, each call by itself; 0: no limit.")
    management_qps: float = Field(
        0, ge=0, le=1000, description="The same for the calls that only manage the library."
    )
    daily_calls: Calls = Field(0, description="Each paid call this often a day (UTC+8); 0: no limit.")
    concurrency: int = Field(16, ge=1, le=256, description="Requests of this application at once.")


class TlsConfig(Section):
    """Encryption. Without it keys, tokens and pictures can be read on the network."""

    certificate: File | None = Field(None, description="PEM, with its chain.")
    key: File | None = Field(None, description="PEM, readable by the service only.")

    @model_validator(mode="after")
    def _both(self) -> TlsConfig:
        if (self.certificate is None) != (self.key is None):
            raise conflict(
                "certificate and key belong together; one of them is missing", "certificate", "key"
            )
        return self


class LimitsConfig(Section):
    """What keeps one client from hurting the others."""

    workers: int = Field(2, ge=1, le=32, description="Pictures looked at at once; one processor core each.")
    waiting: int = Field(
        64, ge=1, le=1000, description="Pictures that may wait for a worker; more get `system busy` (222915)."
    )
    connections: int = Field(512, ge=8, le=10_000, description="Open connections; more get HTTP 503.")
    body_mb: float = Field(10, gt=0, le=100, description="Largest request, millions of bytes.")
    picture_side_px: int = Field(
        6000, ge=64, le=7000, description="Longer side of the largest picture (222304)."
    )
    header_timeout_s: Timeout = Field(10, description="A request's head must have arrived after this time.")
    body_timeout_s: Timeout = Field(30, description="And its body after this.")
    keep_alive_s: Timeout = Field(60, description="A connection without a request is closed after this.")
    stop_s: float = Field(
        5, gt=0, le=60, description="Requests that are under way may take this long when the server stops."
    )


class ServeConfig(Section):
    """A recognition server: its address, its applications, its limits."""

    host: Text = Field("127.0.0.1", description="Address to listen on; `0.0.0.0`: all of this machine's.")
    port: int = Field(8300, ge=0, le=65535, description="TCP port; 0: any free one.")
    data_dir: Directory = Field(
        Path("/var/lib/edged-serve"), description="The libraries, a file per application."
    )
    secrets_file: File | None = Field(
        None,
        description="YAML with the keys; readable by its owner only (0600). The systemd credential "
        "`edged-serve-secrets` goes before it.",
    )
    token_days: float = Field(30, gt=0, le=365, description="How long an access token is valid.")
    check_scene: bool = Field(
        True, description="Refuse a mix of general and scene calls on one group (223202)."
    )
    apps: list[AppConfig] = Field(
        [], max_length=100, description="Applications; each has a library of its own."
    )
    tls: TlsConfig = Field(default_factory=TlsConfig, description="Encryption.")
    limits: LimitsConfig = Field(
        default_factory=LimitsConfig, description="What keeps one client from hurting the others."
    )
    log: LogConfig = Field(default_factory=LogConfig, description="What the server says on standard error.")

    @model_validator(mode="after")
    def _each_once(self) -> ServeConfig:
        names = [app.id for app in self.apps]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise conflict(f"{', '.join(twice)} is listed more than once", "apps")
        return self


def load_serve_config(file: Path, *, environ: Mapping[str, str]) -> ServeConfig:
    """Read, check and complete the file of `edged serve`; its relative paths count from its folder.

    Args:
        environ: usually `os.environ`; EDGED_SERVE_DATA_DIR overrides `data_dir`.

    Raises:
        ConfigProblems: the file has mistakes; all of them are in `.problems`.
        Misconfigured: the file is missing or cannot be read.
    """
    config, _ = parse_file(read_content(file, _WHERE_FROM), str(file), ServeConfig)
    config = with_absolute_paths(config, file.absolute().parent)
    elsewhere = environ.get("EDGED_SERVE_DATA_DIR")
    return config.model_copy(update={"data_dir": absolute(elsewhere, Path.cwd())}) if elsewhere else config
