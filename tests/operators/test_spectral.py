import math

import pytest
import torch

from vcycle.operators import FACTORIZATIONS, Spectral
from vcycle.spaces import Basis, Domain, Space, channels_last, lies_channels_last

DOMAINS = [Domain([2.0], "dirichlet"), Domain([2.0], "neumann"), Domain([1.0, 2.0], ["periodic", "dirichlet"])]


def test_sines_of_a_dirichlet_line_are_multiplied_one_by_one():
    line = Space(Domain.unit(1), 1)
    operator = Spectral(line, line, (4,)).double()
    x = (torch.arange(10, dtype=torch.float64) + 0.5) / 10
    for k in range(4):
        u = (math.pi * (k + 1) * x).sin()[None, None]
        torch.testing.assert_close(operator(u), operator.weight[0, 0, k] * u, rtol=0, atol=1e-14)


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_the_same_function_comes_out_on_every_grid(domain):
    space = Space(domain, 2)
    operator = Spectral(space, space, (4,) * domain.dimension).double()
    basis = Basis(domain)
    c = torch.randn(1, 2, *(5,) * domain.dimension, dtype=torch.float64)
    images = []
    for n in (12, 24):
        shape = (n,) * domain.dimension
        kept = Basis(domain, modes=(5,) * domain.dimension)
        images.append(kept.analyse(operator(basis.synthesise(c, shape))))
    torch.testing.assert_close(images[0], images[1], rtol=0, atol=1e-13)


def test_it_can_be_the_inverse_laplacian():
    domain = Domain([1.0, 2.0], "dirichlet")
    space = Space(domain)
    operator = Spectral(space, space, (6, 6)).double()
    operator.weight.data[0, 0] = 1 / Basis(domain).laplacian((6, 6))
    u = Basis(domain).synthesise(torch.randn(1, 1, 6, 6, dtype=torch.float64), (16, 16))
    negative_laplacian = Basis(domain, modes=(6, 6)).analyse(u) * Basis(domain).laplacian((6, 6))
    f = Basis(domain).synthesise(negative_laplacian, (16, 16))
    torch.testing.assert_close(operator(f), u, rtol=0, atol=1e-13)
    assert operator.norm_bound() == pytest.approx(1 / (math.pi**2 * (1 + 1 / 4)))


@pytest.mark.parametrize(
    ("boundary", "phi"),
    [
        ("dirichlet", lambda x, k: (math.pi * (k + 1) * x).sin()),
        ("neumann", lambda x, k: (math.pi * k * x).cos()),
        (("dirichlet", "neumann"), lambda x, k: (math.pi * (k + 0.5) * x).sin()),
    ],
    ids=["sine", "cosine", "quarter-wave"],
)
@pytest.mark.parametrize("domain", ["periodic", "dirichlet", "neumann"])
def test_the_basis_can_be_chosen_whatever_the_domain(domain, boundary, phi):
    line = Space(Domain.unit(1, domain))
    operator = Spectral(line, line, (4,), boundary=[boundary]).double()
    x = (torch.arange(10, dtype=torch.float64) + 0.5) / 10
    for k in range(4):
        u = phi(x, k)[None, None]
        torch.testing.assert_close(operator(u), operator.weight[0, 0, k] * u, rtol=0, atol=1e-14)


def left_out(u: torch.Tensor, modes: int, boundary: str) -> float:
    """How much of u on (0, 1) the lowest modes miss."""
    basis = Basis(Domain.unit(1, boundary), modes=(modes,))
    return float((u - basis.synthesise(basis.analyse(u), tuple(u.shape))).abs().max())


def test_a_function_is_represented_spectrally_by_the_modes_that_fit_its_boundary_conditions():
    """Its odd (Dirichlet) or even (Neumann) extension is analytic there, but has kinks or jumps for other modes."""
    x = (torch.arange(256, dtype=torch.float64) + 0.5) / 256
    zero = (math.pi * x).sin() * (math.pi * x).cos().exp()  # vanishes at the ends
    flat = (math.pi * x).cos().exp()  # its slope vanishes at the ends
    assert left_out(zero, 16, "dirichlet") < 1e-12
    assert min(left_out(zero, 16, "neumann"), left_out(zero, 16, "periodic")) > 1e-3
    assert left_out(flat, 16, "neumann") < 1e-12
    assert min(left_out(flat, 16, "dirichlet"), left_out(flat, 16, "periodic")) > 0.1


def test_separable_multiplies_the_channels_of_a_mode_by_numbers():
    line = Space(Domain.unit(1), 3)
    separable, full = Spectral(line, line, (4,), separable=True).double(), Spectral(line, line, (4,)).double()
    full.weight.data = torch.diag_embed(separable.weight.data.T).movedim(0, -1)
    u = torch.randn(2, 3, 8, dtype=torch.float64)
    torch.testing.assert_close(separable(u), full(u), rtol=0, atol=1e-14)
    assert separable.norm_bound() == pytest.approx(full.norm_bound())


@pytest.mark.parametrize("form", ["tucker", "tt"])
def test_a_low_rank_weight_of_full_rank_is_the_dense_one(form):
    plane = Space(Domain.unit(2), 3)
    full = Spectral(plane, plane, (4, 5)).double()
    low = Spectral(plane, plane, (4, 5), factorization=form).double()
    low.weight = FACTORIZATIONS[form].from_dense(full.weight, (180,) * low.weight.rank_count((3, 3, 4, 5)))
    u = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(low(u), full(u), rtol=0, atol=1e-13)


@pytest.mark.parametrize("shape", [(9,), (9, 8), (6, 5, 7)])
def test_channels_that_lie_last_stay_there(shape):
    space = Space(Domain.unit(len(shape), "dirichlet"), 3)
    operator = Spectral(space, space, (4,) * len(shape)).double()
    u = torch.randn(2, 3, *shape, dtype=torch.float64)
    c = operator.basis.analyse(channels_last(u))
    assert lies_channels_last(c) and lies_channels_last(operator.basis.synthesise(c, shape))
    torch.testing.assert_close(operator(channels_last(u)), operator(u), rtol=0, atol=1e-13)


def test_errors_say_what_to_do():
    plane = Space(Domain.unit(2))
    with pytest.raises(ValueError, match="one number per axis"):
        Spectral(plane, plane, (4,))
    with pytest.raises(ValueError, match="set separable=False"):
        Spectral(plane, Space(Domain.unit(2), 2), (4, 4), separable=True)
    with pytest.raises(ValueError, match="has other vertices than"):
        ring = Space(Domain.unit(1, "periodic"), 1, "vertex")
        Spectral(ring, ring, (4,), boundary="neumann")
