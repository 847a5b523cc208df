"""Resampling: exact on what it should be exact on, conservative where it averages."""

import pytest
import torch

from vcycle.spaces import Domain, Grid, resample

BOUNDARIES = ["periodic", "dirichlet", "neumann", ("dirichlet", "neumann"), ("neumann", "dirichlet")]


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("shape", [(8, 10), (5, 7), (16, 20), (3, 25)])
def test_constants_stay_constant_without_dirichlet_faces(shape):
    u = torch.full((2, 1, 8, 10), 3.0, dtype=torch.float64)
    for placement in ("cell", "vertex"):
        v = resample(u, Domain.unit(2, ["periodic", "neumann"]), shape, placement)
        torch.testing.assert_close(v, torch.full((2, 1, *shape), 3.0, dtype=torch.float64), rtol=1e-14, atol=0)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("n", [4, 8, 9])
def test_the_same_resolution_is_the_identity(boundary, n):
    u = random(2, 3, n)
    for placement in ("cell", "vertex"):
        torch.testing.assert_close(resample(u, Domain([1.3], [boundary]), (n,), placement), u, rtol=0, atol=1e-14)


@pytest.mark.parametrize("n", [5, 9, 12, 17])
def test_linear_functions_are_exact_on_vertices(n):
    domain = Domain([(1.0, 3.0), (0.0, 1.0)], ["dirichlet", "neumann"])

    def linear(*shape: int) -> torch.Tensor:
        x, y = Grid(domain, shape, "vertex").mesh()
        return 2 - 3 * x + 5 * y + x * y

    torch.testing.assert_close(resample(linear(9, 6), domain, (n, n), "vertex"), linear(n, n), rtol=0, atol=1e-13)


@pytest.mark.parametrize("n", [9, 16, 24, 31])
def test_refined_cells_are_exact_on_the_line_through_a_dirichlet_face(n):
    """u = x on (0, 1): zero at the Dirichlet face, and linear up to the last cell centre."""
    domain = Domain([1.0], [("dirichlet", "neumann")])
    x, y = Grid(domain, (8,)).axis(0), Grid(domain, (n,)).axis(0)
    refined = resample(x[None], domain, (n,))[0]
    inside = y <= x[-1]
    torch.testing.assert_close(refined[inside], y[inside], rtol=0, atol=1e-14)
    assert (refined[~inside] == x[-1]).all()  # no flux through a Neumann face


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("n", [1, 3, 4, 6, 7])
def test_averages_conserve_integrals(boundary, n):
    domain = Domain([2.0, 1.0], [boundary, "neumann"])
    u = random(2, 1, 8, 12)
    mean, coarse = u.mean((-2, -1)), resample(u, domain, (n, n)).mean((-2, -1))
    torch.testing.assert_close(coarse, mean)


def test_nested_vertices_are_kept():
    u = random(1, 1, 17)
    torch.testing.assert_close(resample(u, Domain.unit(1), (9,), "vertex"), u[..., ::2], rtol=0, atol=1e-14)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_refining_smooth_functions_converges_at_order_two(boundary):
    domain = Domain([1.0], [boundary])
    low, high = domain.boundary[0]
    shift = {("dirichlet", "dirichlet"): 1.0, ("neumann", "neumann"): 1.0, ("periodic", "periodic"): 2.0}.get(
        (low, high), 0.5
    )
    wave = torch.sin if low == "dirichlet" else torch.cos

    def error(n: int) -> float:
        x, y = Grid(domain, (n,)).axis(0), Grid(domain, (3 * n,)).axis(0)
        return (resample(wave(torch.pi * shift * x), domain, (3 * n,)) - wave(torch.pi * shift * y)).abs().max().item()

    assert error(64) < 0.27 * error(32)


def test_first_use_under_inference_mode_does_not_poison_gradients():
    domain = Domain.unit(1, "neumann")
    for n, m in ((11, 22), (22, 11)):
        with torch.inference_mode():
            resample(torch.ones(n), domain, (m,))
        u = torch.ones(n, requires_grad=True)
        resample(u, domain, (m,)).sum().backward()
        assert u.grad is not None and u.grad.sum().item() == pytest.approx(m)
