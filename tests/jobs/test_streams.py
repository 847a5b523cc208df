"""The parts of a batch make up the batch, bit by bit, whoever makes them."""

import pytest
import torch

from vcycle.data import Fields
from vcycle.data.readers import Memory
from vcycle.jobs.streams import ReaderStream
from vcycle.jobs.tasks import FreshInputs
from vcycle.problems import Darcy, LogNormal
from vcycle.training import Divisible, Order
from vcycle.training.batch import share


def reader(noise: float) -> ReaderStream:
    values = torch.rand(10, 2, 8, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return ReaderStream(Memory(Fields(values, -values)), Order(10, 6, 5), torch.float32, noise * torch.ones(2))


def fresh(labelled: bool) -> FreshInputs:
    problems = (Darcy(prior=LogNormal(sigma=0.5)), Darcy(prior=LogNormal()))
    return FreshInputs(problems, stage=3, shape=(8, 8), batch=6, seed=7, labelled=labelled)


@pytest.mark.parametrize("stream", [reader(0.0), reader(0.3), fresh(False), fresh(True)])
@pytest.mark.parametrize("count", [2, 3])
def test_parts_make_up_the_batch(stream: Divisible, count: int):
    for step in (0, 4):
        whole = stream(step)
        parts = [share(stream, index, count)(step) for index in range(count)]
        same = [share(lambda s: stream(s), index, count)(step) for index in range(count)]
        assert torch.equal(torch.cat([part.inputs for part in parts]), whole.inputs)
        assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(parts, same, strict=True))
        if whole.targets is not None:
            # A solver's rounding may depend on the samples beside.
            torch.testing.assert_close(torch.cat([part.targets for part in parts]), whole.targets, rtol=1e-7, atol=1e-9)


def test_parts_that_cannot_be_equal_are_refused():
    with pytest.raises(ValueError, match="6 samples cannot be divided into 4 equal parts"):
        reader(0.0).part(0, 1, 4)
    with pytest.raises(ValueError, match="6 samples cannot be divided into 4 equal parts"):
        reader(0.0)(0).part(1, 4)
