"""Errors of constructed predictions, known in closed form."""

import math

import pytest
import torch

from vcycle.analysis import boundary_strip, measure_errors
from vcycle.spaces import Domain, Energy, Grid

SQUARE = Domain.unit(2)


def wave(domain: Domain, shape: tuple[int, ...], k: int = 1, placement: str = "cell") -> torch.Tensor:
    """prod sin(k pi x_i)."""
    product = torch.ones(shape, dtype=torch.float64)
    for x in Grid(domain, shape, placement).mesh():
        product = product * torch.sin(k * math.pi * x)
    return product[None, None]


@pytest.mark.parametrize("placement", ["cell", "vertex"])
def test_a_scaled_solution_has_that_error_in_every_norm(placement):
    u = wave(SQUARE, (33, 33), placement=placement)
    energy = Energy(SQUARE, torch.full_like(u, 3.0)) if placement == "cell" else None
    measured = measure_errors(1.25 * u, u, SQUARE, placement, energy).measured()
    assert set(measured) == {"l2", "h1", "boundary", "interior"} | ({"energy"} if energy else set())
    for values in measured.values():
        assert values.item() == pytest.approx(0.25, rel=1e-12)


def test_fine_waves_weigh_more_in_h1_than_in_l2():
    """|sin(4 pi x) sin(4 pi y)| beside sin sin: equal in L2, 4 times as large in the gradient."""
    u, e = wave(SQUARE, (256, 256)), 0.01 * wave(SQUARE, (256, 256), 4)
    errors = measure_errors(u + e, u, SQUARE)
    assert errors.l2.item() == pytest.approx(0.01, rel=1e-6)
    exact = 0.01 * math.sqrt((1 + 32 * math.pi**2) / (1 + 2 * math.pi**2))
    assert errors.h1.item() == pytest.approx(exact, rel=1e-3)


def test_an_error_at_the_boundary_is_seen_there_and_only_there():
    u = torch.ones(2, 1, 32, 32, dtype=torch.float64)
    v = u.clone()
    v[0, :, :2] += 0.5
    v[1, :, 16] += 0.5
    errors = measure_errors(v, u, SQUARE)
    strip = 32**2 - 28**2
    assert errors.boundary is not None and errors.interior is not None
    assert errors.boundary[0].item() == pytest.approx(0.5 * math.sqrt(64 / strip))
    assert errors.boundary[1].item() == pytest.approx(0.5 * math.sqrt(4 / strip))
    assert errors.interior.tolist() == pytest.approx([0.0, 0.5 * math.sqrt(28 / 28**2)])


@pytest.mark.parametrize(
    ("n", "placement", "layers"), [(64, "cell", 4), (32, "cell", 2), (8, "cell", 1), (4, "cell", 1), (33, "vertex", 3)]
)
def test_the_strip_is_a_sixteenth_wide_and_at_least_one_layer(n, placement, layers):
    strip = boundary_strip(Domain([(2.0, 5.0)]), (n,), placement)
    assert strip.sum().item() == 2 * layers
    assert strip[:layers].all() and strip[-layers:].all()


def test_periodic_axes_have_no_boundary():
    strip = boundary_strip(Domain.unit(2, ["periodic", "neumann"]), (8, 32))
    assert strip[:, :2].all() and not strip[:, 2:-2].any()
    u = torch.rand(1, 1, 8, 8) + 1
    everywhere = measure_errors(2 * u, u, Domain.unit(2, "periodic"))
    assert everywhere.boundary is None and everywhere.interior is None
    assert set(everywhere.summaries()) == {"l2", "h1"}


def test_single_precision_predictions_are_measured_in_the_precision_of_the_reference():
    u = wave(SQUARE, (16, 16))
    errors = measure_errors(u.float(), u, SQUARE)
    assert errors.l2.dtype == torch.float64
    assert 0 < errors.l2.item() < 1e-7


def test_a_prediction_that_is_no_number_is_infinitely_wrong():
    u = wave(SQUARE, (8, 8)).expand(2, 1, 8, 8)
    v = u.clone()
    v[1, 0, 3, 3] = math.nan
    errors = measure_errors(v, u, SQUARE)
    assert errors.summaries()["l2"].worst == math.inf
    assert errors.to_dict()["values"]["l2"] == [0.0, None]


def test_a_reference_of_zero_is_refused():
    u = torch.ones(3, 1, 8)
    u[1] = 0
    with pytest.raises(ValueError, match="sample 1 is zero"):
        measure_errors(u, u, Domain.unit(1))
