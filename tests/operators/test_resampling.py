import itertools

import pytest
import torch
import torch.nn.functional as F

from vcycle.operators import Average, Interpolation
from vcycle.spaces import Domain, Grid, Space

KERNELS = ("constant", "linear", "cubic", "catmull_rom")
GHOSTS = ("zeros", "circular", "reflect", "replicate")
AVERAGES = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
SHAPES = {1: (8,), 2: (8, 6), 3: (8, 6, 4)}
MIXED = Domain([1.0, 2.0], ["periodic", ("dirichlet", "neumann")])


def field(d: int, channels: int = 2) -> torch.Tensor:
    return torch.randn(3, channels, *SHAPES[d], dtype=torch.float64, generator=torch.Generator().manual_seed(d))


def polynomial(n: int, degree: int) -> torch.Tensor:
    """x^degree at the centres of n cells of the unit interval."""
    return Grid(Domain.unit(1), (n,)).axis(0).pow(degree).view(1, 1, n)


def dense(operator: torch.nn.Module, n: int) -> torch.Tensor:
    return torch.cat([operator(e.view(1, 1, n)).flatten(1) for e in torch.eye(n, dtype=torch.float64)]).T


@pytest.mark.parametrize("d", [1, 2, 3])
class TestAverage:
    def test_it_is_the_mean_of_the_cells(self, d):
        u = field(d)
        torch.testing.assert_close(Average(Space(Domain.unit(d), 2))(u), AVERAGES[d](u, 2), rtol=0, atol=1e-15)

    def test_it_keeps_integrals(self, d):
        space, u = Space(Domain([2.0, 1.0, 3.0][:d]), 2), field(d)
        one, coarse = torch.ones_like(u), Average(space)(u)
        torch.testing.assert_close(space.inner(coarse, torch.ones_like(coarse)), space.inner(u, one))

    def test_its_adjoint_repeats_values_and_is_its_right_inverse(self, d):
        space, u = Space(Domain.unit(d), 2), field(d)
        W = Average(space)
        repeated = u
        for dim in range(2, d + 2):
            repeated = repeated.repeat_interleave(2, dim)
        assert torch.equal(W.adjoint()(u), repeated)
        torch.testing.assert_close((W @ W.adjoint())(u), u, rtol=0, atol=1e-15)

    def test_odd_numbers_of_cells_are_refused(self, d):
        u = field(d)[..., :-1]
        with pytest.raises(ValueError, match="needs even numbers of them"):
            Average(Space(Domain.unit(d), 2))(u)


@pytest.mark.parametrize(
    ("kernel", "d", "mode"),
    [
        ("linear", 1, "linear"),
        ("linear", 2, "bilinear"),
        ("linear", 3, "trilinear"),
        ("cubic", 2, "bicubic"),
        ("constant", 1, "nearest"),
        ("constant", 2, "nearest"),
        ("constant", 3, "nearest"),
    ],
)
def test_away_from_periodic_faces_it_is_what_torch_interpolates(kernel, d, mode):
    u = field(d)
    expected = F.interpolate(u, scale_factor=2, mode=mode)
    found = Interpolation(Space(Domain.unit(d, "neumann"), 2), kernel)(u)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("kernel", "mode"), [("linear", "bilinear"), ("cubic", "bicubic")])
def test_periodic_axes_wrap(kernel, mode):
    u = field(2)
    padded = F.pad(F.pad(u, (0, 0, 2, 2), mode="circular"), (2, 2, 0, 0), mode="replicate")
    expected = F.interpolate(padded, scale_factor=2, mode=mode)[..., 4:-4, 4:-4]
    torch.testing.assert_close(Interpolation(Space(MIXED, 2), kernel)(u), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("kernel", "degree"), [("constant", 0), ("linear", 1), ("cubic", 0), ("catmull_rom", 2)])
def test_polynomials_are_interpolated_exactly_inside(kernel, degree):
    P = Interpolation(Space(Domain.unit(1, "neumann")), kernel)
    inside = slice(2 * P.width, 16 - 2 * P.width)
    for power in range(degree + 2):
        error = (P(polynomial(8, power)) - polynomial(16, power))[..., inside].abs().max()
        assert (error < 1e-14) == (power <= degree), power


def test_affine_functions_of_two_variables_are_interpolated_exactly_inside():
    domain = Domain([1.0, 3.0])
    coarse, fine = (
        2 * Grid(domain, shape).mesh()[0] - Grid(domain, shape).mesh()[1] + 1 for shape in ((8, 6), (16, 12))
    )
    error = Interpolation(Space(domain))(coarse[None, None])[0, 0] - fine
    assert float(error[2:-2, 2:-2].abs().max()) < 1e-14


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("ghost", [None, *GHOSTS[1:]])
@pytest.mark.parametrize("domain", [Domain.unit(2), MIXED, Domain.unit(3, "periodic")], ids=str)
def test_constants_stay_constant_up_to_the_boundary(domain, ghost, kernel):
    one = torch.ones(1, 1, *SHAPES[domain.dimension], dtype=torch.float64)
    image = Interpolation(Space(domain), kernel, ghost=ghost)(one)
    torch.testing.assert_close(image, torch.ones_like(image), rtol=0, atol=1e-14)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_shift_by_a_coarse_cell_is_a_shift_by_two_fine_ones(kernel):
    space, u = Space(Domain.unit(1, "periodic"), 2), field(1)
    P, A = Interpolation(space, kernel), Average(space)
    torch.testing.assert_close(P(u.roll(1, 2)), P(u).roll(2, 2), rtol=0, atol=1e-14)
    torch.testing.assert_close(A(u.roll(2, 2)), A(u).roll(1, 2), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("kernel", "ghost"), list(itertools.product(KERNELS, GHOSTS)))
def test_the_norm_bound_holds_on_every_grid(kernel, ghost):
    P = Interpolation(Space(Domain.unit(1)), kernel, ghost=ghost)
    for n in range(3, 12):
        assert torch.linalg.matrix_norm(dense(P, n), 2) / 2**0.5 <= P.norm_bound() * (1 + 1e-12)


def test_constants_attain_the_norm_of_averages_and_of_linear_interpolation():
    space = Space(Domain.unit(2, "periodic"))
    assert Average(space).norm_bound() == 1.0
    assert Interpolation(space, "linear").norm_bound() == pytest.approx(1.0, abs=1e-14)
    assert Interpolation(space, "constant").norm_bound() == pytest.approx(1.0, abs=1e-14)


def test_what_cannot_be_resampled_is_refused():
    space = Space(Domain.unit(1, "periodic"))
    with pytest.raises(ValueError, match="take a finer grid or fewer levels"):
        Interpolation(space, "cubic")(torch.ones(1, 1, 1))
    for kind in (Average, Interpolation):
        with pytest.raises(ValueError, match="expected placement='cell'"):
            kind(Space(Domain.unit(1), 1, "vertex"))
