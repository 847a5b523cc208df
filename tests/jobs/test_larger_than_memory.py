"""Data larger than memory: training holds a batch at a time, and the batches are those that memory would give."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
import torch

from vcycle.data import Dataset, generate
from vcycle.data.files import checksum
from vcycle.jobs import pairs as pairs_module
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.tasks import task
from vcycle.problems import Darcy

GIBIBYTES, MEMORY = 16, 200e6
TRAIN = """
import resource, sys
from vcycle.jobs import train
network = {"name": "fno", "width": 4, "modes": 4, "depth": 1}
for data in sys.argv[1:]:
    train(data=data, out=data + "-run", network=network, steps=12, batch=4, accelerator="cpu", threads=1)
    print("needed", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "small"
    sizes = {"train": 56, "validation": 8}
    generate(Darcy(), 64, 64, 3, folder, splits=sizes, dtype="float32", workers=1, verify_every=0, progress=False)
    return folder


def enlarged(small: Path, large: Path) -> int:
    """A data set of 16 GiB whose one shard repeats the small one's samples by reference; returns its bytes."""
    large.mkdir()
    source = small / "part-00000.h5"
    with h5py.File(source) as file:
        fields = {name: file["t0_fields"][name] for name in ("a", "u")}
        block, *grid = fields["a"].shape
        count = GIBIBYTES * 2**30 // (fields["a"].nbytes + fields["u"].nbytes)
        with h5py.File(large / "part-00000.h5", "w") as out:
            for name, array in fields.items():
                layout = h5py.VirtualLayout((count * block, *grid), array.dtype)
                for i in range(count):
                    layout[i * block : (i + 1) * block] = h5py.VirtualSource(source, f"t0_fields/{name}", array.shape)
                out.create_virtual_dataset(f"t0_fields/{name}", layout)
    table = json.loads((small / "manifest.json").read_text())
    total = count * block
    shard = large / "part-00000.h5"
    table["shards"][0] |= {"stop": total, "size": shard.stat().st_size, "sha256": checksum(shard), "residuals": []}
    table["splits"]["train"] |= {"start": 0, "stop": total - 8}
    table["splits"]["validation"] |= {"start": total - 8, "stop": total}
    table["configuration"] = None
    (large / "manifest.json").write_text(json.dumps(table))
    return total * 2 * 4 * grid[0] * grid[1]


@pytest.mark.slow
def test_training_streams_sixteen_gibibytes_in_bounded_memory(small, tmp_path):
    """The most that the process held grows little from training on the small set to training on the large one."""
    size = enlarged(small, tmp_path / "large")
    data = Dataset.open(tmp_path / "large")
    assert size >= 0.99 * GIBIBYTES * 2**30 and len(data) * 2**15 == size
    command = [sys.executable, "-c", TRAIN, str(small), str(tmp_path / "large")]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    first, both = (float(line.split()[1]) for line in ended.stdout.splitlines() if line.startswith("needed"))
    assert both - first < MEMORY


def test_batches_from_disk_are_those_from_memory(small, monkeypatch):
    config = TrainConfig(out="", data={"path": str(small)}, batch=5)
    held = task(config).stream
    monkeypatch.setattr(pairs_module, "IN_MEMORY", 0)
    read = task(config).stream
    for step in (0, 7, 40):
        one, other = held(step), read(step)
        assert torch.equal(one.inputs, other.inputs) and torch.equal(one.targets, other.targets)


def test_of_larger_data_a_spread_few_are_taken_for_scales(small, monkeypatch):
    monkeypatch.setattr(pairs_module, "IN_MEMORY", 0)
    monkeypatch.setattr(pairs_module, "FEW", 4)
    found = task(TrainConfig(out="", data={"path": str(small)}))
    expected = Dataset.open(small).split("train").read([0, 18, 36, 55]).inputs
    assert torch.equal(found.sample.inputs, expected) and len(found.validation) == 4
