"""How long a network waits for its batch: processor time of making one, beside that of the training step on it.

Writes loading.csv. Medians over steps that are taken in turn; MgNO at its defaults on Darcy flow, 64 x 64, batch 8.
"""

import tempfile
import time
from statistics import median
from unittest.mock import patch

import torch

from machine import write_table
from vcycle import networks
from vcycle.data import generate
from vcycle.jobs import pairs
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.configure import resolve
from vcycle.jobs.criteria import loss_named
from vcycle.jobs.tasks import task
from vcycle.problems import Darcy
from vcycle.training import Settings, Stream
from vcycle.training.learner import Learner
from vcycle.training.processes import Processes

STEPS = 8


def prepared(**options: object) -> tuple[Stream, Learner]:
    config = resolve(TrainConfig, {"out": "unused", "accelerator": "cpu"} | options)
    subject = task(config)
    torch.manual_seed(0)
    network = networks.build({"name": "mgno"}, len(subject.input_names), 1, subject.domain)
    settings = Settings(steps=1000, accelerator="cpu")
    return subject.stream, Learner(network, loss_named(config.loss, subject), subject.forward, settings, Processes())


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        generate(Darcy(), 128, 64, 0, f"{folder}/data", workers=1, verify_every=0, progress=False)
        sources = {"data in memory": prepared(data={"path": f"{folder}/data"})}
        with patch.object(pairs, "IN_MEMORY", 0):
            sources["data on disk"] = prepared(data={"path": f"{folder}/data"})
        equation = {"problem": "darcy", "resolution": 64, "validation_samples": 1}
        sources["equation, no labels"] = prepared(**equation, loss="bound")
        sources["equation, labels"] = prepared(**equation, loss="h1")
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in sources}
        for step in range(STEPS):
            for name, (stream, learner) in sources.items():
                began = time.process_time()
                batch = stream(step)
                made = time.process_time()
                learner.step(step, batch)
                spent[name].append((made - began, time.process_time() - made))
    rows: list[dict[str, object]] = []
    for name, times in spent.items():
        batch, step = (1e3 * median(column[1:]) for column in zip(*times, strict=True))
        rows.append({"source": name, "batch_ms": round(batch, 2), "step_ms": round(step, 1)})
        rows[-1]["batch_per_step"] = round(batch / step, 4)
    print(write_table("loading.csv", rows, threads=1))


if __name__ == "__main__":
    main()
