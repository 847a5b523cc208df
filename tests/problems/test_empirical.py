"""Coefficients from a file: the same functions on every grid, and nothing but them."""

import numpy as np
import pytest
import torch

from vcycle.problems import Darcy, Empirical, TwoPhase
from vcycle.spaces import Domain


@pytest.fixture
def stored():
    return TwoPhase().sample(Domain.unit(2), (16, 16), 0, range(6)).numpy()


@pytest.fixture
def prior(stored, tmp_path):
    np.save(tmp_path / "a.npy", stored)
    return Empirical(file=str(tmp_path / "a.npy"))


def test_every_draw_is_in_the_file_and_all_of_the_file_is_drawn(prior, stored):
    drawn = prior.sample(Domain.unit(2), (16, 16), 3, range(100)).numpy()
    rows = {next(i for i, a in enumerate(stored) if np.array_equal(a, one)) for one in drawn}
    assert rows == set(range(6))


def test_finer_grids_repeat_cells_and_coarser_ones_average_them(prior):
    own, fine, coarse = (prior.sample(Domain.unit(2), (n, n), 3, range(4)) for n in (16, 32, 8))
    assert torch.equal(fine, own.repeat_interleave(2, 2).repeat_interleave(2, 3))
    torch.testing.assert_close(coarse, torch.nn.functional.avg_pool2d(own, 2))


def test_it_is_a_prior_like_others(prior):
    P = Darcy(prior=prior)
    assert P.solve(P.sample((16, 16), 0, range(3))).converged.all()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((4, 8, 8)), "must hold coefficients a > 0, got 0"),
        (np.ones((4, 8)), r"has shape \(4, 8\), expected \(samples, \*grid\) with 2 grid axes"),
        (np.array(["a"], dtype=object), "is no .npy file of numbers"),
    ],
)
def test_other_files_are_refused(values, said, tmp_path):
    np.save(tmp_path / "a.npy", values, allow_pickle=True)
    with pytest.raises(ValueError, match=said):
        Empirical(str(tmp_path / "a.npy")).sample(Domain.unit(2), (8, 8), 0, range(2))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"there is no file .*b.npy to draw coefficients from: give --problem.prior"):
        Empirical(str(tmp_path / "b.npy")).sample(Domain.unit(2), (8, 8), 0, [0])
