"""Trains one of the two models: `python -m training.learn symbols --seed 1 --minutes 60 --out DIR`.

Every few hundred steps the weights go to DIR/<model>.pt and DIR/<model>.onnx; started again, the
program goes on from there. The whole course follows from the seed and the number of steps.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from training.networks import CloseNet, LineNet, SymbolNet
from training.rows import Mixed
from training.scenes import Crops
from training.strips import HIGH, UNCOUNTED, WIDE, strip
from training.zones import Rng

SAVED_EVERY = 250
Sample = tuple[NDArray[np.float32], NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Task:
    """What one model is, what it is shown, and what counts as wrong."""

    network: Callable[[], nn.Module]
    sample: Callable[[Rng], Sample]
    loss: Callable[[Tensor, Tensor], Tensor]
    batch: int
    rate: float
    shown: tuple[int, ...]


def symbol_loss(told: Tensor, wanted: Tensor) -> Tensor:
    """Cross entropy of every frame that counts."""
    return nn.functional.cross_entropy(told, wanted, ignore_index=UNCOUNTED)


def line_loss(told: Tensor, wanted: Tensor) -> Tensor:
    """Overlap and cross entropy of the mask, and the error of the direction within it."""
    mask, weight = wanted[:, 0], wanted[:, 3]
    seen = torch.sigmoid(told[:, 0])
    cross = nn.functional.binary_cross_entropy_with_logits(
        told[:, 0], mask, weight * (1 + 3 * mask), reduction="mean"
    )
    both = (seen * mask * weight).sum() * 2 + 1
    overlap = both / ((seen * weight).sum() + (mask * weight).sum() + 1)
    off = ((told[:, 1:] - wanted[:, 1:3]) ** 2).sum(1) * mask
    return 2 * cross + (1 - overlap) + off.sum() / (mask.sum() + 1)


TASKS = {
    "symbols": Task(SymbolNet, strip, symbol_loss, 48, 3e-3, (1, 1, HIGH, WIDE)),
    "closely": Task(CloseNet, Mixed(), symbol_loss, 48, 2e-3, (1, 1, HIGH, WIDE)),
    "lines": Task(LineNet, Crops(), line_loss, 8, 3e-3, (1, 1, 640, 640)),
}


def batch(task: Task, rng: Rng) -> tuple[Tensor, Tensor]:
    """One batch of fresh samples."""
    shown, wanted = zip(*(task.sample(rng) for _ in range(task.batch)), strict=True)
    return torch.from_numpy(np.stack(shown))[:, None], torch.from_numpy(np.stack(wanted))


class Fresh(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches without end, all following from the seed and the steps that were done before."""

    def __init__(self, name: str, seed: int, done: int) -> None:
        super().__init__()
        self._name, self._start = name, (seed, done)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """See the class."""
        cv2.setNumThreads(1)
        rng = np.random.default_rng(self._start)
        while True:
            yield batch(TASKS[self._name], rng)


def export(network: nn.Module, task: Task, path: Path) -> None:
    """The network as an ONNX file that takes pictures of any number and size."""
    network.eval().to(memory_format=torch.contiguous_format)
    free = {"shown": {0: "n", 2: "h", 3: "w"}, "told": {0: "n"}}
    if task.network is not LineNet:
        free["shown"] = {0: "n", 3: "w"}
    torch.onnx.export(
        network,
        (torch.zeros(task.shown),),
        str(path),
        input_names=["shown"],
        output_names=["told"],
        dynamic_axes=free,
        opset_version=17,
        dynamo=False,
    )
    network.train().to(memory_format=torch.channels_last)


def learn(  # noqa: PLR0913  the arguments of the program
    name: str,
    seed: int,
    seconds: float,
    steps: int,
    out: Path,
    rate: float | None = None,
    start: Path | None = None,
) -> None:
    """Train until `seconds` or `steps` are over; the rate falls along a cosine of the time."""
    task = TASKS[name]
    rate = rate or task.rate
    torch.manual_seed(seed)
    network = task.network().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), task.rate, weight_decay=1e-4)
    kept, done = out / f"{name}.pt", 0
    if start and not kept.exists():
        # A smaller network's weights start a larger one: blocks that it lacks start as they are.
        network.load_state_dict(torch.load(start)["network"], strict=False)
    if kept.exists():
        state = torch.load(kept)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        done = state["steps"]
    # Drawn by a process of their own: drawing takes as long as learning.
    drawn = iter(DataLoader(Fresh(name, seed, done), batch_size=None, num_workers=1))
    began, first, total = time.monotonic(), done, 0.0
    while (spent := time.monotonic() - began) < seconds and done - first < steps:
        part = max(spent / seconds, (done - first) / steps)
        warm = min(1, (done - first + 1) / 50)
        for group in optimiser.param_groups:
            group["lr"] = warm * rate * (0.02 + 0.49 * (1 + math.cos(math.pi * part)))
        loss = task.loss(*_told(network, *next(drawn)))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2)
        optimiser.step()
        done, total = done + 1, total + loss.item()
        if done % 50 == 0:
            print(f"{name} {done} {spent:.0f}s {total / 50:.4f}", flush=True)
            total = 0.0
        if done % SAVED_EVERY == 0:
            _keep(network, optimiser, task, done, kept)
    _keep(network, optimiser, task, done, kept)


def _told(network: nn.Module, shown: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """What the network tells, in half precision where the processor is faster with it."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        told = network(shown.to(memory_format=torch.channels_last))
    return told.float(), wanted


def _keep(
    network: nn.Module, optimiser: torch.optim.Optimizer, task: Task, steps: int, kept: Path
) -> None:
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "steps": steps,
    }
    torch.save(state, kept)
    export(network, task, kept.with_suffix(".onnx"))


def main() -> None:
    """Read the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=sorted(TASKS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--steps", type=int, default=10**9)
    parser.add_argument("--rate", type=float, help="the highest, if not the usual")
    parser.add_argument("--start", type=Path, help="weights that a new course starts from")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    seconds = given.minutes * 60
    learn(given.model, given.seed, seconds, given.steps, given.out, given.rate, given.start)


if __name__ == "__main__":
    main()
