"""Sources that vary inside cells: exact data, a bound for all of them, and the sharpness of its constant."""

import math

import pytest
import torch

from references.cases import BOUNDARIES, domain
from references.dense import elements, finer, refined, solve
from vcycle.hybrid import cell_data, energy_bound
from vcycle.spaces import Domain


def random(seed: int, *shape: int):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_means_and_deviations_split_the_square():
    D, fine = Domain([1.0, 2.0]), random(0, 3, 1, 12, 8)
    means, deviations = cell_data(fine, (3, 4), D)
    squares = fine.square().mean((1, 2, 3)) * 2
    torch.testing.assert_close(means.square().mean((1, 2, 3)) * 2 + deviations.square().sum((1, 2, 3)), squares)
    assert float(cell_data(finer(means, D, 3), (3, 4), D)[1].max()) < 1e-14
    with pytest.raises(ValueError, match="choose a multiple"):
        cell_data(fine, (5, 4), D)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("c", [0.0, 1.0, 1e3, 1e5])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (3, 3)], ids=str)
def test_no_error_is_larger_than_the_bound_whatever_the_source_does_inside_cells(shape, boundary, c):
    D, cut = domain(len(shape), boundary), 4
    a, f = random(1, 10, 1, *shape).exp(), 10 * random(2, 10, 1, *(cut * n for n in shape))
    if D.floating and c == 0:
        f = f - f.mean(tuple(range(1, f.ndim)), keepdim=True)
    means, oscillation = cell_data(f, shape, D)
    reaction = torch.full_like(a, c)
    matrix, spread, free = elements(finer(a, D, cut), finer(reaction, D, cut), D)
    load = f.flatten(1) @ spread.T * (math.prod(D.lengths) / f[0].numel())
    for v in (0 * a, random(3, *a.shape), 0.1 * means):
        bound = energy_bound(v, a, means, D, reaction=c, oscillation=oscillation, form="continuum")
        r = (load - (matrix @ refined(bound.field, D, cut)[..., None])[..., 0])[:, free]
        x = solve(matrix[:, free][:, :, free], r, singular=D.floating and c == 0)
        true = (r * x).sum(1).clamp_min(0).sqrt()
        assert bool((bound.value >= true * (1 - 1e-9)).all())
        exact = solve(matrix[:, free][:, :, free], load[:, free], singular=D.floating and c == 0)
        # Elements on a finer mesh have a little less energy than the solution.
        assert bool((bound.least <= 1.2 * (load[:, free] * exact).sum(1).clamp_min(0).sqrt() + 1e-9).all())


def test_the_constant_is_the_best():
    """On one Neumann cell f = cos(pi x) has u = cos(pi x) / pi^2: the error of v = 0 is the whole oscillation term."""
    n = 512
    x = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    means, oscillation = cell_data(torch.cos(math.pi * x)[None, None], (1,), Domain.unit(1, "neumann"))
    zero = torch.zeros(1, 1, 1, dtype=torch.float64)
    bound = energy_bound(
        zero, zero + 1, means - means, Domain.unit(1, "neumann"), oscillation=oscillation, form="continuum"
    )
    assert float(bound.value) == pytest.approx(1 / math.pi / math.sqrt(2), rel=1e-4)


def test_shares_of_cells_sum_to_the_square_and_point_at_the_error():
    D = Domain.unit(2)
    a, v = torch.ones(2, 1, 16, 16, dtype=torch.float64), torch.zeros(2, 1, 16, 16, dtype=torch.float64)
    f = torch.zeros_like(v)
    f[:, :, 3, 12] = 1.0
    for form in ("discrete", "continuum"):
        bound = energy_bound(v, a, f, D, form=form)
        assert bound.cells.shape == v.shape
        torch.testing.assert_close(bound.cells.sum((1, 2, 3)), bound.value.square())
        assert bool((bound.cells >= 0).all())
        assert bool((bound.cells.flatten(1).argmax(1) == 3 * 16 + 12).all())
        none = energy_bound(v, a, 0 * f, D, form=form)
        torch.testing.assert_close(none.cells.sum((1, 2, 3)), none.value.square())


def test_wrong_oscillations_are_refused_with_a_sentence():
    one = torch.ones(1, 1, 4, 4)
    with pytest.raises(ValueError, match="finite and not negative"):
        energy_bound(one, one, oscillation=-one, form="continuum")
    with pytest.raises(ValueError, match="the oscillation's shape"):
        energy_bound(one, one, oscillation=one[..., :3], form="continuum")
