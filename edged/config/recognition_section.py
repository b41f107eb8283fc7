"""The section `recognition`: local engine, face cloud, and both together."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from edged.config.base import File, Score, Section, Text, Timeout, conflict

CLOUD_ID = re.compile(r"[A-Za-z0-9_]{1,48}")
"""Group and user ids of the cloud: letters, digits, underscore (docs/reference/face-api.md 6.2)."""

ControlLevel = Literal["NONE", "LOW", "NORMAL", "HIGH"]


def _cloud_id(text: str) -> str:
    if not CLOUD_ID.fullmatch(text):
        raise ValueError("is not 1 to 48 letters, digits or underscores")
    return text


CloudId = Annotated[str, Field(max_length=48), AfterValidator(_cloud_id)]
Calls = Annotated[int, Field(ge=0, le=1_000_000_000)]
Rate = Annotated[float, Field(gt=0, le=1000)]


class CloudConfig(Section):
    """The face cloud, or a server that speaks its protocol. Keys and tokens are never written here: they
    come from the environment, systemd credentials or `secrets_file`."""

    url: Text = Field(
        "https://aip.baidubce.com",
        description="Root of the service; for a private server `http://HOST:8300`.",
    )
    dialect: Literal["online", "private"] = Field(
        "online", description="`private`: `/face-api/v3/...?appid=` without a token."
    )
    appid: CloudId = Field("default", description="private only: which library of the server.")
    auth: Literal["key", "token", "token_url"] = Field(
        "key",
        description="online only: `key`: AK/SK; `token`: handed in; `token_url`: asked of your own server.",
    )
    token_url: Text | None = Field(
        None, description="`auth: token_url`: answers a GET with JSON `access_token` and `expires_in`."
    )
    secrets_file: File | None = Field(
        None, description="YAML with `api_key`, `secret_key`, `token`; readable by its owner only (0600)."
    )
    ca_file: File | None = Field(
        None, description="Certificate authority of the server, PEM; empty: the usual ones."
    )
    groups: list[CloudId] = Field(
        ["default"], min_length=1, max_length=10, description="Groups searched, at most 10."
    )
    call: Literal["search", "capture_search"] = Field(
        "search",
        description="How one face is searched; `capture_search`: cameras mounted high, groups of that scene.",
    )
    multi: bool = Field(True, description="Search the faces of several people in one `multi-search` call.")
    gather_s: float = Field(
        0.15, ge=0, le=2, description="With several people in view, wait this long for their shots."
    )
    quality_control: ControlLevel = Field("NORMAL", description="Asked of the cloud with every picture.")
    liveness_control: ControlLevel = Field("NORMAL", description="The same for liveness.")
    spoofing_control: ControlLevel = Field(
        "NONE",
        description="The same for synthetic pictures; LOW is strictest. Not with `capture_search`.",
    )
    threshold: Score = Field(80.0, description="Score 0..100 a match must reach; 80 = false accepts 1e-4.")
    margin: Score = Field(5.0, description="Points by which the best person must lead the second.")
    agreeing_shots: int = Field(1, ge=1, le=10, description="Shots in a row with the same person on top.")
    people: Literal["library", "cloud"] = Field(
        "library",
        description="`library`: only people of this box's library pass; `cloud`: the cloud's groups decide.",
    )
    jpeg_quality: int = Field(90, ge=80, le=100, description="JPEG quality of the pictures sent.")
    connect_timeout_s: Timeout = Field(1.0, description="Give up connecting after this time.")
    read_timeout_s: Timeout = Field(3.0, description="Give up waiting for the answer after this time.")
    qps: Rate = Field(2.0, description="Calls a second of each search, detect, add and update call.")
    management_qps: Rate = Field(5.0, description="Calls a second of each other call.")
    daily_calls: Calls = Field(0, description="Most calls a day (UTC+8) of each paid call; 0: no limit.")
    total_calls: Calls = Field(0, description="Most calls in all of each paid call; 0: no limit.")
    workers: int = Field(2, ge=1, le=8, description="Requests in flight at once; hybrid: of each door.")

    @model_validator(mode="after")
    def _token_url_given(self) -> CloudConfig:
        if self.auth == "token_url" and self.token_url is None:
            raise conflict("auth is token_url, but there is no token_url", "token_url", "auth")
        return self

    @model_validator(mode="after")
    def _scene_has_no_spoofing_control(self) -> CloudConfig:
        if self.call == "capture_search" and self.spoofing_control != "NONE":
            raise conflict("capture_search has no spoofing_control", "spoofing_control", "call")
        if self.call == "capture_search" and self.dialect == "private":
            raise conflict("a private server has no capture_search", "call", "dialect")
        return self


class HybridConfig(Section):
    """How the engine on the box and the cloud share the work: `engine: hybrid`."""

    policy: Literal["local_first", "cloud_first"] = Field(
        "local_first",
        description="`local_first`: asks the cloud when unsure; `cloud_first`: this box if it is late.",
    )
    unsure_from: Score = Field(
        70.0, description="local_first: from this score up to the threshold, the cloud is asked."
    )
    cloud_wait_s: float = Field(
        0.7, gt=0, le=10, description="cloud_first: wait this long for the cloud before asking this box."
    )
    when_cloud_down: Literal["local", "deny"] = Field(
        "local", description="What counts while the cloud cannot be reached."
    )


class RecognitionConfig(Section):
    """Who is it."""

    engine: Literal["local", "cloud", "hybrid"] = Field(
        "local", description="`local`: on this box, nothing leaves it; `cloud`; `hybrid`: both."
    )
    threshold: Score | None = Field(
        None,
        description="Score 0..100 a match must reach. Empty: 90 up to 1,000 people, 92 above "
        "(open-set measurement; 80 is for one-to-one only).",
    )
    margin: Score = Field(5.0, description="Points by which the best person must lead the second.")
    agreeing_shots: int = Field(2, ge=1, le=10, description="Shots in a row with the same person on top.")
    workers: int = Field(1, ge=1, le=8, description="Recognition threads of this box's engine.")
    cloud: CloudConfig = Field(default_factory=CloudConfig, description="`engine: cloud` and `hybrid`.")
    hybrid: HybridConfig = Field(default_factory=HybridConfig, description="`engine: hybrid`.")

    @model_validator(mode="after")
    def _everybody_is_asked_about(self) -> RecognitionConfig:
        local_first = self.engine == "hybrid" and self.hybrid.policy == "local_first"
        if local_first and self.cloud.people == "cloud":
            raise conflict(
                "with hybrid.policy local_first the cloud is never asked about people whom only the cloud "
                "knows (cloud.people: cloud): this box takes them for strangers",
                "hybrid.policy",
                "cloud.people",
            )
        return self
