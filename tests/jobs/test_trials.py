"""Test samples are those nobody trained on."""

import pytest
import torch

from vcycle.data import DataError, generate
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.configure import resolve
from vcycle.jobs.tasks import derived_seed, task
from vcycle.jobs.trials import at_resolutions, fresh, seed_of, stored
from vcycle.problems import Darcy, LogNormal
from vcycle.spaces import Domain
from vcycle.surrogate import Surrogate

CONFIG = resolve(
    TrainConfig,
    {
        "problem": {"name": "darcy", "prior": "lognormal"},
        "resolution": 8,
        "batch": 4,
        "steps": 4,
        "out": "R",
        "loss": "h1",
    },
)


def surrogate(domain: Domain | None = None, outputs: tuple[str, ...] = ("u",), problem=None) -> Surrogate:
    return Surrogate(lambda a: a, domain or Domain.unit(2), ("a",), outputs, problem=problem)


def test_fresh_samples_are_none_of_training_validation_or_scaling():
    trials = fresh(surrogate(problem=Darcy(prior=LogNormal())), CONFIG, (8, 8), 16)
    subject = task(CONFIG)
    seen = [subject.stream(step).inputs for step in range(4)]
    known = torch.cat([*seen, subject.validation.inputs, subject.sample.inputs])
    assert trials.main.inputs.shape == (16, 1, 8, 8)
    distances = (trials.main.inputs[:, None] - known[None]).flatten(2).abs().amax(2)
    assert distances.min() > 1e-3
    assert seed_of(CONFIG) not in {derived_seed(CONFIG.seed, p) for p in ("training", "validation", "scaling")}
    again = fresh(surrogate(problem=Darcy(prior=LogNormal())), CONFIG, (8, 8), 4)
    assert torch.equal(again.main.inputs, trials.main.inputs[:4])


def test_without_equation_and_data_there_is_nothing_to_test_on():
    with pytest.raises(ValueError, match="give test data"):
        fresh(surrogate(), CONFIG, (8, 8), None)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return generate(Darcy(), 20, 8, 5, tmp_path_factory.mktemp("data"), workers=1, progress=False)


def test_a_stored_split_comes_with_its_equation_and_checksum(data):
    trials = stored(surrogate(), data, "test", None)
    assert torch.equal(trials.main.outputs, data.split("test").read(range(2)).outputs)
    assert trials.problem == Darcy()
    assert trials.checksum == data.manifest.splits["test"].sha256
    assert len(stored(surrogate(), data, "validation", 1).main) == 1


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (surrogate(Domain.unit(2, "periodic")), "the data are dirichlet"),
        (surrogate(Domain([2.0, 1.0])), "the data lie on"),
        (surrogate(outputs=("u", "p")), "the channels must agree"),
    ],
)
def test_data_of_something_else_are_refused(data, other, said):
    with pytest.raises(DataError, match=said):
        stored(other, data, "test", None)


def test_an_unknown_split_is_refused(data):
    with pytest.raises(DataError, match="no split 'tset'"):
        stored(surrogate(), data, "tset", None)


def test_the_same_functions_on_every_grid():
    problem = Darcy(prior=LogNormal())
    found = at_resolutions(problem, [(8, 8), (24, 24)], 3, 2)
    (coarse, u), (fine, _) = found[(8, 8)], found[(24, 24)]
    torch.testing.assert_close(fine[..., 1::3, 1::3], coarse)
    assert problem.residual(coarse, u).max() < 1e-9
