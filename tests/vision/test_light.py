"""Half-lit faces: the measure follows the light, not the exposure."""

import numpy as np
import pytest

from edged.vision import quality


def lit(left: float, right: float) -> np.ndarray:
    """A grey 112x112 crop whose light falls from `left` to `right`."""
    row = np.linspace(left, right, 112)
    return np.repeat(np.tile(row, (112, 1))[..., None], 3, axis=2).astype(np.uint8)


def test_even_light_is_zero():
    assert quality.unevenness(lit(120, 120)) == 0


@pytest.mark.parametrize("mirrored", [False, True])
def test_it_grows_with_the_gradient_from_either_side(mirrored):
    crops = [lit(200, dark) for dark in (200, 160, 120, 80, 40, 0)]
    scores = [quality.unevenness(crop[:, ::-1] if mirrored else crop) for crop in crops]
    assert scores == sorted(scores)
    assert scores[-1] > 0.5


def test_exposure_alone_does_not_change_it():
    assert quality.unevenness(lit(200, 100)) == pytest.approx(quality.unevenness(lit(100, 50)), abs=0.01)


def test_one_black_half_is_one():
    crop = lit(200, 200)
    crop[:, 56:] = 0
    assert quality.unevenness(crop) == 1


def test_a_black_picture_is_even():
    assert quality.unevenness(lit(0, 0)) == 0
