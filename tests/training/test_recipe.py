"""The recipe of the models still runs: a tiny run, where its tools are installed."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="training only: PyTorch is no dependency of the broker")
pytest.importorskip("onnx")

from training import glyphs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not glyphs.FONTS.is_dir(), reason="Debian's fonts-ocr-b is not installed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.mark.parametrize("name", ["symbols", "closely", "lines"])
def test_a_few_steps_make_a_model_that_onnxruntime_runs(name: str, tmp_path: Path) -> None:
    import onnxruntime

    from training.learn import learn

    learn(name, seed=5, seconds=300, steps=2, out=tmp_path)
    learn(name, seed=5, seconds=300, steps=1, out=tmp_path)  # goes on from what is there
    session = onnxruntime.InferenceSession(tmp_path / f"{name}.onnx")
    shown: NDArray[np.float32] = np.zeros(
        (1, 1, 96, 160) if name == "lines" else (2, 1, 32, 400), np.float32
    )
    (told,) = session.run(["told"], {"shown": shown})
    assert told.shape == ((1, 3, 48, 80) if name == "lines" else (2, 38, 100))


def test_the_larger_network_starts_from_the_smaller_one(tmp_path: Path) -> None:
    import torch

    from training.learn import learn

    learn("symbols", seed=5, seconds=300, steps=1, out=tmp_path)
    learn("closely", seed=6, seconds=0, steps=1, out=tmp_path, start=tmp_path / "symbols.pt")
    small, large = (torch.load(tmp_path / f"{n}.pt")["network"] for n in ("symbols", "closely"))
    shared = small.keys() & large.keys()
    assert len(shared) == len(small)
    assert all(torch.equal(small[name], large[name]) for name in shared)


def test_one_seed_gives_one_scene() -> None:
    from training.scenes import random_scene

    one, other = (random_scene(np.random.default_rng(7), "bad") for _ in range(2))
    assert one.lines == other.lines
    assert np.array_equal(one.gray, other.gray)
