import math

import pytest
import torch

from vcycle.operators import Spectral
from vcycle.spaces import Basis, Domain, Space

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


def test_modes_are_one_number_per_axis():
    plane = Space(Domain.unit(2))
    with pytest.raises(ValueError, match="one number per axis"):
        Spectral(plane, plane, (4,))
