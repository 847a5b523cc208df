"""The multiscale coefficient: its range, its scales, its randomness."""

import pytest
import torch

from vcycle.problems import Darcy, Multiscale
from vcycle.spaces import Domain


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_factors_stay_between_a_half_and_three_halves(dimension):
    a = Multiscale(scales=2).sample(Domain.unit(dimension, "neumann"), (16,) * dimension, 0, range(8))
    assert a.shape == (8, 1, *(16,) * dimension)
    assert a.min() >= 0.5**4 and a.max() <= 1.5**4


def test_one_scale_is_the_product_of_two_waves():
    a = Multiscale(scales=1).sample(Domain.unit(2), (64, 64), 0, [0])[0, 0]
    # Along x_1 + x_2 = constant the cosine does not change.
    x = (torch.arange(64, dtype=torch.float64) + 0.5) / 64
    diagonal = torch.stack([a[i, 63 - i] for i in range(64)])
    cosine = diagonal / (1 + 0.5 * torch.sin(_rate(a) * torch.pi * (1 - 4 * x)))
    torch.testing.assert_close(cosine, cosine.mean().expand(64))


def _rate(a: torch.Tensor) -> float:
    """r from the values on the diagonal x_2 = 3 x_1, where the sine is 1 + 0."""
    x = (torch.arange(21, dtype=torch.float64) + 0.5) / 64
    # Cell i and cell 3 i + 1 have x_2 = 3 x_1 exactly: a = 1 + cos(4 r pi x_1) / 2.
    values = torch.stack([a[i, 3 * i + 1] for i in range(21)])
    return float(torch.acos(2 * (values[1] - 1)) / (4 * torch.pi * x[1]))


def test_more_scales_are_finer_and_other_samples_differ():
    coarse, fine = (Multiscale(scales=s).sample(Domain.unit(2), (64, 64), 0, range(2)).log() for s in (1, 4))
    assert fine.diff(dim=2).square().mean() > 10 * coarse.diff(dim=2).square().mean()
    assert not torch.equal(fine[0], fine[1])


def test_the_box_may_have_any_size():
    unit, other = (Multiscale().sample(D, (16, 16), 0, [3]) for D in (Domain.unit(2), Domain([(-1.0, 1.0), 5.0])))
    assert torch.equal(unit, other)


def test_it_is_solved():
    P = Darcy(prior=Multiscale())
    a = P.sample((32, 32), 0, range(2))
    assert P.solve(a).converged.all()


def test_no_scale_is_refused():
    with pytest.raises(ValueError, match="1 <= scales <= 12, got 0"):
        Multiscale(scales=0)
