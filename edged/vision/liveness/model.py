"""Runs a liveness network on the surroundings of one face. No judgement over several frames here."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edged.errors import Misconfigured
from edged.models import ONE_NETWORK_AT_A_TIME, ModelFile

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class LivenessContract:
    """Input of a liveness network and the meaning of its answer.

    Attributes:
        input_size: width and height of the network's input, pixels.
        crop_scale: sides of the crop over the sides of the detector's box.
        channel_order: `BGR` or `RGB`.
        value_scale: first factor for a channel value 0..255.
        mean, std: per channel in `channel_order`, after `value_scale`: (value - mean) / std.
        output: `softmax` for logits, which edged normalises; `probability` for normalised values.
        live_index: index of the output that means live.
        outputs: number of values in an answer.
    """

    input_size: tuple[int, int]
    crop_scale: float
    channel_order: str
    value_scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    output: str
    live_index: int
    outputs: int


PACKAGED = LivenessContract(
    input_size=(128, 128),
    crop_scale=3.5,
    channel_order="BGR",
    value_scale=1.0,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    output="softmax",
    live_index=0,
    outputs=3,
)
"""The packaged network (docs/reference/models.md 7; order, crop and index were measured, not documented)."""


@dataclass(frozen=True)
class OperatorModel:
    """A network of the operator's own, verified and described; made by `operator_model.load`.

    Attributes:
        data: bytes of the ONNX file.
        sha256: hash of those bytes, hexadecimal.
        contract: how to run it.
        licence: the operator's note, shown with the model's identity.
    """

    data: bytes
    sha256: str
    contract: LivenessContract
    licence: str


class LivenessModel:
    """One liveness network. Not safe to share between threads: make one per thread.

    The bytes that were verified are the bytes that run. OpenCV 5 reads bytes with its new engine, which
    equals onnxruntime within 1e-5 on the packaged network and takes 2.9 ms instead of the classic one's 4.4.

    Args:
        model: the file named `face_liveness`, or the operator's own.

    Raises:
        Misconfigured: OpenCV cannot read the network (code `liveness_model_unreadable`), or it does not
            answer with what its manifest says (`liveness_model_output`).
    """

    def __init__(self, model: ModelFile | OperatorModel) -> None:
        self.contract = model.contract if isinstance(model, OperatorModel) else PACKAGED
        name = "operator_liveness" if isinstance(model, OperatorModel) else model.name
        self.model_id = f"{name}:{model.sha256[:12]}"
        try:
            with ONE_NETWORK_AT_A_TIME:
                self._net = cv2.dnn.readNetFromONNX(np.frombuffer(model.data, np.uint8))
            width, height = self.contract.input_size
            answer = self._forward(np.full((height, width, 3), 128, np.uint8))
        except cv2.error as error:
            raise Misconfigured(
                f"OpenCV cannot run the liveness model {self.model_id}: {_first_line(error)}",
                code="liveness_model_unreadable",
                hint="Export it as ONNX with a fixed input size and one picture per call.",
            ) from error
        if answer.size != self.contract.outputs:
            raise Misconfigured(
                f"The liveness model {self.model_id} answers with {answer.size} values, "
                f"its manifest says {self.contract.outputs}.",
                code="liveness_model_output",
                hint="Correct `outputs` and `live_index` in the model's manifest.",
            )

    def score(self, image: np.ndarray, box: Box) -> float:
        """How live the face in `box` (x, y, width, height) of `image` (HxWx3 uint8 BGR) looks, 0..1.

        An answer that is not a number counts as 0: doubt denies.
        """
        crop = surroundings_inside(image, box, self.contract.crop_scale)
        if crop.size == 0:
            return 0.0
        answer = self._forward(cv2.resize(crop, self.contract.input_size, interpolation=cv2.INTER_LINEAR))
        if not np.isfinite(answer).all():
            return 0.0
        if self.contract.output == "softmax":
            answer = np.exp(answer - answer.max())
            answer /= answer.sum()
        return float(np.clip(answer[self.contract.live_index], 0.0, 1.0))

    def _forward(self, crop: np.ndarray) -> np.ndarray:
        """Raw answer for a crop of the input size (uint8 BGR), flat float64."""
        contract = self.contract
        ordered = crop if contract.channel_order == "BGR" else crop[:, :, ::-1]
        values = (ordered.astype(np.float32) * contract.value_scale - contract.mean) / contract.std
        self._net.setInput(np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32))
        return self._net.forward().ravel().astype(np.float64)


def surroundings_inside(image: np.ndarray, box: Box, scale: float) -> np.ndarray:
    """The crop of `scale` times the box, shrunk and shifted until it lies inside the picture; a view.

    Never padded: with black beyond the border the packaged network calls nine of ten live faces false
    (BPCER at .3 rises from .14 to .94 on the same clips), and mirrored or repeated pixels invent content.
    """
    rows, columns = image.shape[:2]
    x, y, width, height = box
    if width <= 0 or height <= 0:
        return image[:0, :0]
    scale = min(scale, (columns - 1) / width, (rows - 1) / height)
    wide, high = width * scale, height * scale
    left = int(np.clip(x + width / 2 - wide / 2, 0, columns - 1 - wide))
    top = int(np.clip(y + height / 2 - high / 2, 0, rows - 1 - high))
    return image[top : top + int(high) + 1, left : left + int(wide) + 1]


def _first_line(error: cv2.error) -> str:
    return str(error).strip().splitlines()[0]
