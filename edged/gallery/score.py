"""The scale 0..100 on which matches are reported, and the threshold for finding one person among many.

Pure arithmetic; the gallery compares embeddings.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

# (cosine, score). Measured for the shipped embedding on LFW: 60, 70, 80 and 90 stand for a false-accept rate
# of 1e-2, 1e-3, 1e-4 and 1e-5 when one face is compared with one other (docs/reference/models.md 4).
ANCHORS: Final = ((-0.05, 0.0), (0.31, 60.0), (0.376, 70.0), (0.431, 80.0), (0.485, 90.0), (0.75, 100.0))

SMALL_GALLERY_PEOPLE: Final = 1000
SMALL_GALLERY_THRESHOLD: Final = 90.0
LARGE_GALLERY_THRESHOLD: Final = 92.0


def score_of(cosine: float) -> float:
    """Cosine of two unit embeddings (-1..1) as a score 0..100; monotone, clipped at both ends.

    Raises:
        ValueError: the cosine is not a number.
    """
    if cosine != cosine:
        raise ValueError("the cosine is not a number")
    return _interpolate(cosine)


def default_threshold(gallery_people: int) -> float:
    """Score a match must reach if the site has set none.

    The more people are searched, the likelier a stranger resembles one of them: 90 lets 0.7 % of strangers
    reach somebody among 1,000 people, 92 keeps it there for larger galleries (open-set measurement,
    docs/reference/models.md 4). 80 is for comparing one face with one other only.
    """
    return SMALL_GALLERY_THRESHOLD if gallery_people <= SMALL_GALLERY_PEOPLE else LARGE_GALLERY_THRESHOLD


def _interpolate(cosine: float) -> float:
    if cosine <= ANCHORS[0][0]:
        return ANCHORS[0][1]
    for (x0, y0), (x1, y1) in pairwise(ANCHORS):
        if cosine < x1:
            # the minimum keeps rounding from stepping over the next anchor, which would break monotony
            return min(y1, y0 + (cosine - x0) * (y1 - y0) / (x1 - x0))
    return ANCHORS[-1][1]
