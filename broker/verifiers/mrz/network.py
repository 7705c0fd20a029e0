"""The networks that read (home of onnxruntime): loaded once, run on the caller's thread."""

from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

MODELS: Final = Path(__file__).parent / "models"
Floats: TypeAlias = NDArray[np.float32]


def find_rows(pictures: Floats) -> Floats:
    """Pictures (n, 1, h, w), sides multiples of 16, to maps (n, 3, h / 2, w / 2).

    The maps: the logit of "a row of a zone runs here", and cosine and sine of its direction.
    """
    return _run("lines", pictures)


def tell_symbols(strips: Floats) -> Floats:
    """Strips (n, 1, 32, w), w a multiple of 4, to logits (n, 38, w / 4): 37 symbols and the gap."""
    return _run("symbols", strips)


def tell_closely(strips: Floats) -> Floats:
    """The same by the larger network, which doubts less and is right more often, but is slower."""
    return _run("closely", strips)


def _run(model: str, shown: Floats) -> Floats:
    told: Floats = _sessions()[model].run(["told"], {"shown": shown})[0]
    return told


@cache
def _sessions() -> dict[str, Any]:
    """All of them at once: whoever reads the first picture has them before it is confined."""
    return {model: _session(model) for model in ("lines", "symbols", "closely")}


def _session(model: str) -> Any:
    options = onnxruntime.SessionOptions()
    # Requests are served side by side: threads of one small network get in each other's way.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # An arena keeps the largest picture's memory for ever.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(MODELS / f"{model}.onnx"), options, providers=["CPUExecutionProvider"]
    )
