"""Boxes of people whose identity is known, as a detector would report them, and how well a tracker kept them.

Numbers only: people walk, stop, hide each other, leave and return; boxes are noisy, missing or false. Faces
drawn in pictures are the business of the tests that use the demo's people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edged.vision.assignment import assign
from edged.vision.detector import Detection

WIDTH_PX, HEIGHT_PX, FPS = 1280, 720, 25.0
BINS = 24
_FOUND = 0.35  # score below which the detector reports nothing
_NMS_OVERLAP = 0.3
_BODY_WIDTH, _BODY_FROM = 1.9, 0.55  # of a face: shoulders, and where they begin below the middle of the face


@dataclass(frozen=True)
class Faults:
    """What the detector does wrong.

    Attributes:
        miss: share of detections that are missing one by one.
        burst: share of frames at which a run of 2 to 10 missing detections begins.
        turn: share of frames at which somebody looks away for 10 to 35 frames and is hard to find.
        noise: standard deviation of box position and size, in face sizes.
        false: false faces per frame.
    """

    miss: float = 0.05
    burst: float = 0.01
    turn: float = 0.004
    noise: float = 0.025
    false: float = 0.03


@dataclass(frozen=True)
class Walker:
    """One person: where the face is at given times; between them it moves evenly, outside them it is away.

    Attributes:
        person: index of the identity.
        stops: rows of time s, x px, y px (middle of the face), face width px.
        colours: what they wear, BINS shares that sum to 1.
    """

    person: int
    stops: np.ndarray
    colours: np.ndarray

    def at(self, time_s: float) -> tuple[float, float, float] | None:
        """x, y, width of the face at `time_s`; None when the person is away."""
        times = self.stops[:, 0]
        if not times[0] <= time_s <= times[-1]:
            return None
        x, y, width = (float(np.interp(time_s, times, self.stops[:, k])) for k in (1, 2, 3))
        return x, y + 0.03 * width * float(np.sin(11 * time_s + self.person)), width


@dataclass(frozen=True)
class Sight:
    """One frame: detections with whom they show (None: nobody), and everybody who could be seen."""

    time_s: float
    detections: list[Detection]
    people: list[int | None]
    looks: list[np.ndarray]
    visible: frozenset[int]


def sights(
    walkers: Sequence[Walker], rng: np.random.Generator, faults: Faults, every: int = 1
) -> list[Sight]:
    """The scene from its first to its last moment; `every`: only each n-th frame counts."""
    last_s = max(walker.stops[-1, 0] for walker in walkers)
    missing: dict[int, int] = {}
    turned: dict[int, int] = {}
    ghost: list[float] = []
    seen = []
    for number in range(round(last_s * FPS) + 1):
        sight = _sight(walkers, number / FPS, rng, faults, missing, turned, ghost)
        if number % every == 0:
            seen.append(sight)
    return seen


def _sight(
    walkers: Sequence[Walker],
    time_s: float,
    rng: np.random.Generator,
    faults: Faults,
    missing: dict[int, int],
    turned: dict[int, int],
    ghost: list[float],
) -> Sight:
    here = [(at, walker) for walker in walkers if (at := walker.at(time_s)) is not None]
    here.sort(key=lambda one: -one[0][2])
    found, visible = [], set()
    for index, (at, walker) in enumerate(here):
        hidden, _ = _hidden(_face(at), here[:index])
        inside = _inside(at)
        if hidden < 0.5 and inside > 0.7:
            visible.add(walker.person)
        away = 0.38 if _runs_on(turned, walker.person, rng, faults.turn, (10, 36)) else 0.0
        score = 0.88 + rng.normal(0, 0.04) - 0.75 * hidden - 0.6 * (1 - inside) - away
        gone = _runs_on(missing, walker.person, rng, faults.burst, (2, 11))
        if gone or score < _FOUND or rng.random() < faults.miss:
            continue
        covered, cover = _hidden(_bust(at), here[:index])
        colours = (
            walker.colours if cover is None else (1 - covered) * walker.colours + covered * cover.colours
        )
        found.append((_detection(at, score, rng, faults.noise), walker.person, _measured(colours, rng)))
    found += [(d, None, _measured(np.full(BINS, 1 / BINS), rng)) for d in _false(rng, faults.false, ghost)]
    found = _suppressed(found)
    detections, people, looks = ([f[k] for f in found] for k in range(3))
    return Sight(time_s, detections, people, looks, frozenset(visible))


def _runs_on(
    left: dict[int, int], person: int, rng: np.random.Generator, rate: float, frames: tuple[int, int]
) -> bool:
    """Whether a run of frames goes on for `person`, or begins now; `left` counts down, in place."""
    if left.get(person, 0) <= 0 and rng.random() < rate:
        left[person] = int(rng.integers(*frames))
    left[person] = left.get(person, 0) - 1
    return left[person] >= 0


def _face(at: tuple[float, float, float]) -> tuple[float, float, float, float]:
    x, y, width = at
    return x - width / 2, x + width / 2, y - 0.65 * width, y + 0.65 * width


def _bust(at: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Head and chest, as far as looks are taken from them."""
    x, y, width = at
    return x - 0.7 * width, x + 0.7 * width, y - 0.8 * width, y + 2.2 * width


def _hidden(
    part: tuple[float, float, float, float], nearer: Sequence[tuple[tuple[float, float, float], Walker]]
) -> tuple[float, Walker | None]:
    """Largest share of `part` (left, right, top, bottom) behind somebody nearer, and behind whom."""
    best: tuple[float, Walker | None] = (0.0, None)
    left, right, top, bottom = part
    for (x, y, width), walker in nearer:
        chin = y + _BODY_FROM * width
        head = _meet(left, right, x - width / 2, x + width / 2) * _meet(top, bottom, y - 0.8 * width, chin)
        half = _BODY_WIDTH * width / 2
        body = _meet(left, right, x - half, x + half) * _meet(top, bottom, chin, 1e9)
        share = (head + body) / ((right - left) * (bottom - top))
        if share > best[0]:
            best = (min(1.0, share), walker)
    return best


def _meet(a0: float, a1: float, b0: float, b1: float) -> float:
    return max(0.0, min(a1, b1) - max(a0, b0))


def _inside(at: tuple[float, float, float]) -> float:
    x, _, width = at
    return _meet(x - width / 2, x + width / 2, 0, WIDTH_PX) / width


def _detection(
    at: tuple[float, float, float], score: float, rng: np.random.Generator, noise: float
) -> Detection:
    x, y, width = at
    width *= float(np.exp(rng.normal(0, noise)))
    x, y = x + rng.normal(0, noise) * width, y + rng.normal(0, noise) * width
    return face_at(float(x), float(y), width, min(0.99, score))


def face_at(x: float, y: float, width: float, score: float = 0.9) -> Detection:
    """A detection whose box has its middle at x, y."""
    box = (x - width / 2, y - 0.65 * width, width, 1.3 * width)
    return Detection(box, np.zeros((5, 2), np.float32), float(score))


def _measured(colours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A histogram as measured: by chance a little different each time (light, pose, background)."""
    return rng.dirichlet(60 * colours + 0.15)


def _false(rng: np.random.Generator, rate: float, ghost: list[float]) -> list[Detection]:
    """Faces where there are none; one in three stays for some frames, as a poster or a bag would."""
    if ghost:
        x, y, width, left = ghost
        ghost[:] = [x, y, width, left - 1] if left > 1 else []
        return [face_at(x, y, width, rng.uniform(0.4, 0.75))]
    if rng.random() >= rate:
        return []
    x, y, width = rng.uniform(0, WIDTH_PX), rng.uniform(100, 600), rng.uniform(30, 150)
    if rng.random() < 0.33:
        ghost[:] = [x, y, width, int(rng.integers(2, 12))]
    return [face_at(x, y, width, rng.uniform(0.36, 0.75))]


def _suppressed(found: list[tuple]) -> list[tuple]:
    """The surer one of two boxes that overlap, as the detector's own suppression leaves it."""
    kept: list[tuple] = []
    for one in sorted(found, key=lambda f: -f[0].score):
        if all(_overlap(one[0].box, other[0].box) <= _NMS_OVERLAP for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda f: -f[0].box[2] * f[0].box[3])


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    shared = _meet(a[0], a[0] + a[2], b[0], b[0] + b[2]) * _meet(a[1], a[1] + a[3], b[1], b[1] + b[3])
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


# --- the scenes ------------------------------------------------------------------------------------------


def _people(count: int, rng: np.random.Generator, uniform: bool) -> list[np.ndarray]:
    """What `count` people wear; `uniform`: all the same, so that colours tell nothing."""
    each = [rng.dirichlet(np.full(BINS, 0.25)) for _ in range(count)]
    return [each[0]] * count if uniform else each


def crossing(rng: np.random.Generator) -> list[np.ndarray]:
    """Two people pass each other, the nearer one in front; one may stop or turn back half-way."""
    near, far = rng.uniform(90, 180), 0.0
    far = near * rng.uniform(0.5, 0.9)
    start, y = rng.uniform(0, 0.6), rng.uniform(280, 340)
    pace_s = rng.uniform(2.0, 4.5)
    left, right = rng.uniform(150, 350), rng.uniform(900, 1150)
    meet = (left + right) / 2
    first = [[0, left, y, near], [pace_s, right, y + rng.uniform(-20, 20), near * rng.uniform(0.9, 1.1)]]
    second = [[start, right, y - 25, far], [start + pace_s, left, y - 25, far * rng.uniform(0.9, 1.1)]]
    turn = rng.random()
    if turn < 0.3:  # stops where they meet, then goes on
        middle = start + pace_s / 2
        second = [second[0], [middle, meet, y - 25, far], [middle + 0.8, meet, y - 25, far]]
        second.append([start + pace_s + 0.8, left, y - 25, far])
    elif turn < 0.5:  # turns round where they meet
        second = [second[0], [start + pace_s / 2, meet, y - 25, far], [start + pace_s, right, y - 25, far]]
    return [np.array(first), np.array(second)]


def passing(rng: np.random.Generator) -> list[np.ndarray]:
    """Somebody stands at the door; somebody else walks by in front or behind."""
    stand, y = rng.uniform(90, 170), rng.uniform(280, 340)
    x = rng.uniform(450, 850)
    other = stand * rng.choice([rng.uniform(0.55, 0.85), rng.uniform(1.15, 1.5)])
    pace_s, start = rng.uniform(1.5, 4.0), rng.uniform(0.8, 1.5)
    ends = (-100.0, 1380.0) if rng.random() < 0.5 else (1380.0, -100.0)
    return [
        np.array([[0, x, y, stand], [6, x + rng.uniform(-15, 15), y, stand]]),
        np.array([[start, ends[0], y - 10, other], [start + pace_s, ends[1], y - 10, other]]),
    ]


def queue(rng: np.random.Generator) -> list[np.ndarray]:
    """One stands at the door, the next close behind; the first leaves and the next takes the place."""
    near, y, x = rng.uniform(120, 180), rng.uniform(280, 330), rng.uniform(500, 780)
    far, side = near * rng.uniform(0.65, 0.85), rng.choice([-1, 1])
    behind = x + side * near * rng.uniform(0.3, 0.9)
    away_s, step_s = rng.uniform(0.5, 1.0), rng.uniform(0.3, 0.9)
    leaves = 2.0 + rng.uniform(0, 0.5)
    out = x - side * 900 if rng.random() < 0.7 else x + side * 900
    follows = leaves + rng.uniform(0.1, 0.6)
    first = [[0, x, y, near], [leaves, x, y, near], [leaves + away_s, out, y, near]]
    second = [[0.3, behind, y - 20, far], [follows, behind, y - 20, far], [follows + step_s, x, y, near]]
    return [np.array(first), np.array([*second, [follows + 3, x, y, near]])]


def exchange(rng: np.random.Generator) -> list[np.ndarray]:
    """One leaves at the edge, another comes in at the same place after a moment."""
    y, width = rng.uniform(280, 340), rng.uniform(90, 170)
    away, pace_s = rng.uniform(0.15, 1.6), rng.uniform(1.0, 2.5)
    first = [[0, 640, y, width], [pace_s, -width, y, width]]
    width *= rng.uniform(0.85, 1.18)
    start = pace_s + away
    return [np.array(first), np.array([[start, -width, y, width], [start + pace_s, 640, y, width]])]


def crowd(count: int) -> Callable[[np.random.Generator], list[np.ndarray]]:
    """`count` people wander about: three legs each at their own pace and distance."""

    def scene(rng: np.random.Generator) -> list[np.ndarray]:
        largest = 150 if count <= 6 else 60
        walkers = []
        for _ in range(count):
            width, now = rng.uniform(0.45, 1) * largest, float(rng.uniform(0, 1.5))
            y = rng.uniform(260, 340) if count <= 6 else rng.uniform(80, 620)
            stops = [[now, rng.uniform(100, 1180), y, width]]
            for _ in range(3):
                now += float(rng.uniform(1.0, 2.5))
                grown = float(np.clip(stops[-1][3] * rng.uniform(0.8, 1.25), 25, 200))
                stops.append([now, rng.uniform(100, 1180), y + rng.uniform(-15, 15), grown])
            walkers.append(np.array(stops))
        return walkers

    return scene


SCENES: dict[str, Callable[[np.random.Generator], list[np.ndarray]]] = {
    "crossing": crossing,
    "passing": passing,
    "queue": queue,
    "exchange": exchange,
    "five people": crowd(5),
    "fifty people": crowd(50),
}


def play(kind: str, seed: int, faults: Faults = Faults(), every: int = 1) -> list[Sight]:
    """One scene. In one of four everybody wears the same."""
    rng = np.random.default_rng([seed, list(SCENES).index(kind)])
    paths = SCENES[kind](rng)
    colours = _people(len(paths), rng, uniform=bool(rng.random() < 0.25))
    walkers = [Walker(k, path, colour) for k, (path, colour) in enumerate(zip(paths, colours, strict=True))]
    return sights(walkers, rng, faults, every)


# --- how well identities were kept -----------------------------------------------------------------------


@dataclass
class Score:
    """Counts over any number of scenes.

    Attributes:
        frames: frames looked at.
        visible: faces that could be seen, over all frames.
        tracked: faces with a track, over all frames.
        matched: those whose track and person belong together in the best one-to-one pairing of the scene.
        takeovers: a track went from one person to another. The dangerous one: a stranger inherits shots.
        fragments: a person went on under another track.
    """

    frames: int = 0
    visible: int = 0
    tracked: int = 0
    matched: int = 0
    takeovers: int = 0
    fragments: int = 0

    @property
    def idf1(self) -> float:
        """Identification F1 (Ristani et al. 2016), 0..1: how much of each is under one id."""
        return 2 * self.matched / max(1, self.visible + self.tracked)

    @property
    def takeovers_per_1000(self) -> float:
        return 1000 * self.takeovers / max(1, self.frames)

    @property
    def fragments_per_1000(self) -> float:
        return 1000 * self.fragments / max(1, self.frames)

    def add(self, history: Sequence[tuple[frozenset[int], dict[int, int | None]]]) -> None:
        """Count one scene: per frame who was visible and whom each track that was seen showed."""
        owner: dict[int, int] = {}
        track_of: dict[int, int] = {}
        pairs: dict[tuple[int, int], int] = {}
        for visible, tracks in history:
            self.frames += 1
            self.visible += len(visible | {p for p in tracks.values() if p is not None})
            self.tracked += len(tracks)
            for track_id, person in tracks.items():
                if person is None:
                    continue
                self.takeovers += owner.get(track_id, person) != person
                self.fragments += track_of.get(person, track_id) != track_id
                owner[track_id], track_of[person] = person, track_id
                pairs[person, track_id] = pairs.get((person, track_id), 0) + 1
        self.matched += _best_pairing(pairs)


def _best_pairing(pairs: dict[tuple[int, int], int]) -> int:
    people, tracks = sorted({p for p, _ in pairs}), sorted({t for _, t in pairs})
    if not pairs:
        return 0
    shared = np.zeros((len(people), len(tracks)))
    for (person, track_id), frames in pairs.items():
        shared[people.index(person), tracks.index(track_id)] = frames
    most = shared.max() + 1
    return int(sum(shared[i, j] for i, j in assign(most - shared, limit=2 * most)))
