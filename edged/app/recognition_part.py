"""Recognition: the engines that the configuration asks for, what they need, and the workers that ask them.

What an engine does is in `edged.recognition`; here library, gallery and cloud come together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edged import models
from edged.app.part import PartHealth, PartState
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.gallery.templates import Gallery
from edged.library.follower import LibraryFollower
from edged.recognition.cloud.engine import CloudEngine
from edged.recognition.consensus import rules_by_engine
from edged.recognition.hybrid import HybridEngine
from edged.recognition.local.embedder import Embedder
from edged.recognition.local.engine import LocalEngine
from edged.recognition.per_door import PerDoor
from edged.recognition.protocol import HYBRID, LOCAL, Recognizer
from edged.recognition.service import RecognitionService

BEAT_S = 10.0
STOP_S = 1.0
"""Longest wait for a request that is in flight when the daemon stops."""

FINISH_S = 5.0


class RecognitionPart(SitePart):
    """Answers shots with `recognition.engine`: on this box, by the cloud, or by both."""

    name = "recognition"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._service: RecognitionService | None = None
        self._follower: LibraryFollower | None = None

    def start(self) -> None:
        """Raises EdgedError when a model file is damaged or the library cannot be read."""
        site = self._site
        service = RecognitionService(
            site.config.recognition,
            self._recognizers(),
            site.bus,
            site.clock,
            max_shots=site.config.vision.max_shots,
            doors=len(site.config.gates),
            on_beat=site.heartbeats.register(self.name, BEAT_S),
            on_saved=self._count_saved,
        )
        self._service = service
        self._stack.callback(service.stop, STOP_S)
        service.start()

    def finish(self) -> None:
        """Wait until every shot that has arrived is answered."""
        if self._service is not None:
            self._service.wait_idle(FINISH_S)

    def stop(self, timeout_s: float) -> bool:
        """Drop shots that wait, let requests in flight finish."""
        return self._service is None or self._service.stop(timeout_s)

    def beats(self) -> Sequence[str]:
        """One name for all workers: each must move."""
        return (self.name,)

    def health(self) -> PartHealth:
        """`engine`, `left_out` (people with templates of another model only) and the counters of the
        subscription to shots."""
        follower = self._follower
        problem = follower.problem if follower else None
        left_out = follower.left_out if follower else 0
        state, summary = PartState.OK, "Shots are recognised."
        if problem is not None:
            state, summary = PartState.DEGRADED, f"Changes of the library are not seen: {problem.message}"
        elif left_out:
            state, summary = PartState.DEGRADED, f"{left_out} people must be enrolled again for this model."
        engine = self._site.config.recognition.engine
        return self._is(state, summary, engine=engine, left_out=left_out, **self._subscriber(self.name))

    # -- engines

    def _recognizers(self) -> Callable[[], Recognizer]:
        """Makes one engine for each worker."""
        site, config, link = self._site, self._site.config, self._site.cloud
        if link is None:
            return self._local()
        cloud = CloudEngine(
            link.client,
            config.recognition.cloud,
            site.clock,
            max_age_s=config.access.max_age_s,
            resolve=site.library.person_of_cloud_id,
            on_saved=link.governor.saved,
        )
        if config.recognition.engine == "cloud":
            return lambda: cloud
        both = self._hybrid(cloud)
        return lambda: both

    def _local(self) -> Callable[[], LocalEngine]:
        site, model = self._site, models.load("face_embedding")
        gallery = Gallery(model.model_id)
        self._follower = LibraryFollower(site.library, gallery, site.bus, site.clock)
        self._follower.start()
        self._stack.callback(self._follower.stop)
        return lambda: LocalEngine(Embedder(model), gallery, site.clock)

    def _hybrid(self, cloud: CloudEngine) -> PerDoor:
        """One hybrid engine for each door: none waits for the cloud of another."""
        site, config, local = self._site, self._site.config, self._local()
        doors: dict[str | None, Recognizer] = {}
        for gate in config.gates:
            hybrid = HybridEngine(
                config.hybrid_of(gate),
                local(),
                cloud,
                site.clock,
                rules=rules_by_engine(config.recognition, config.vision.max_shots)[LOCAL],
                may_leave=site.library.has_cloud_consent,
                calls=config.recognition.cloud.workers,
                max_age_s=config.access.max_age_s,
            )
            self._stack.callback(hybrid.close, STOP_S)
            doors[gate.id] = hybrid
        return PerDoor(doors, HYBRID)

    def _count_saved(self, shots: int) -> None:
        """A shot that was not needed is a call saved, where every shot is one."""
        config, link = self._site.config, self._site.cloud
        policies = {config.hybrid_of(gate).policy for gate in config.gates}
        asks_always = config.recognition.engine == "cloud" or policies == {"cloud_first"}
        if link is not None and asks_always:
            link.governor.saved(shots)
