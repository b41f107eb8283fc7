"""The client of the face API as one object, and how it is built from the configuration.

`caller.py` has the steps of a request (token, turn, transport, envelope). The engine decides what an answer
means for a passage.
"""

from __future__ import annotations

from pathlib import Path

from edged.clock import Clock
from edged.config import CloudConfig
from edged.faceapi.client.caller import Caller, build_caller
from edged.faceapi.client.library_calls import LibraryCalls
from edged.faceapi.client.picture_calls import PictureCalls
from edged.faceapi.governor.admission import Admission


def build_client(
    config: CloudConfig, clock: Clock, *, governor: Admission, data_dir: Path | None
) -> FaceCloud:
    """The client that `recognition.cloud` describes. Sends nothing yet.

    Args:
        config: the section `recognition.cloud`.
        clock: deadlines and the life of the token.
        governor: asked before every request; `Unlimited()` for commands.
        data_dir: folder for the token between runs, in a file of mode 0600; None: memory only.

    Raises:
        Misconfigured: the address, a secret or the certificate file is missing or wrong.
    """
    return FaceCloud(build_caller(config, clock, governor=governor, data_dir=data_dir))


class FaceCloud(PictureCalls, LibraryCalls):
    """The face API. Safe to use from several threads.

    Every method takes `deadline_s`, the monotonic time after which its answer is of no use (None: only the
    configured time-outs count), and raises:
        Misconfigured, TryAnotherShot: `cloud_request_*`: the request breaks a documented limit; not sent.
        RetryLater: `cloud_timeout`, `cloud_unreachable`, `cloud_dns`, `cloud_http_…`, `cloud_bad_answer`, …
        NeedsOperator: `cloud_certificate`, the token or a key is refused, …
        EdgedError: `cloud_CODE`: the server answered with that error code; the class says what to do.
    """

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)

    def warm_up(self) -> None:
        """Fetch the token and keep it fresh from now on. Raises like any call."""
        self._caller.warm_up()

    def close(self) -> None:
        """Close the connections and stop renewing the token. Requests in flight fail or end by themselves."""
        self._caller.close()
