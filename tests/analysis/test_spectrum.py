"""Shells of wavenumbers: every mode in its place, and Parseval's identity."""

import math

import pytest
import torch

from vcycle.analysis import error_spectrum
from vcycle.analysis.spectrum import shells
from vcycle.spaces import L2, Basis, Domain, Grid

BOUNDARIES = ["periodic", "dirichlet", "neumann", ("dirichlet", "neumann")]


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("first", BOUNDARIES)
@pytest.mark.parametrize("second", BOUNDARIES)
def test_the_shells_sum_to_the_squared_norm(first, second):
    domain, shape = Domain([1.0, 2.0], [first, second]), (12, 16)
    # Without the very last mode of each axis, which has another norm on the grid than between its points.
    basis = Basis(domain, modes=(11, 15))
    u, e = (basis.synthesise(random(3, 2, 11, 15), shape) for _ in range(2))
    spectrum = error_spectrum(u + 0.1 * e, u, domain)
    torch.testing.assert_close(spectrum.reference.sum(), L2(domain)(u).square().mean())
    torch.testing.assert_close(spectrum.error.sum(), 0.01 * L2(domain)(e).square().mean())


@pytest.mark.parametrize(("k", "shell"), [(1, 1), (3, 3), (7, 7)])
def test_a_sine_wave_fills_one_shell(k, shell):
    domain = Domain.unit(1)
    u = torch.sin(k * math.pi * Grid(domain, (32,)).axis(0))[None, None]
    spectrum = error_spectrum(0.5 * u, u, domain)
    assert spectrum.reference[shell].item() == pytest.approx(0.5)
    assert spectrum.error[shell].item() == pytest.approx(0.125)
    assert spectrum.reference.sum().item() == pytest.approx(0.5)
    assert spectrum.wavenumbers[shell].item() == pytest.approx(k * math.pi)


def test_cosine_and_sine_of_a_periodic_wave_share_a_shell():
    domain = Domain([3.0], "periodic")
    x = Grid(domain, (30,)).axis(0)
    u = torch.stack([torch.cos(2 * math.pi * 2 * x / 3), torch.sin(2 * math.pi * 2 * x / 3)])[:, None]
    spectrum = error_spectrum(u, u, domain)
    assert spectrum.reference[2].item() == pytest.approx(1.5)
    assert (spectrum.error == 0).all()


@pytest.mark.parametrize("lengths", [(1.0, 1.0), (1.0, 4.0), (2.0, 0.5)])
def test_no_shell_up_to_the_last_complete_one_is_empty(lengths):
    index, _, complete = shells(Basis(Domain(lengths, "neumann")), (16, 16))
    assert set(range(complete + 1)) <= set(index.unique().tolist())


def test_vertices_and_three_dimensions():
    domain = Domain.unit(3, ["dirichlet", "periodic", "neumann"])
    x, y, z = Grid(domain, (9, 8, 9), "vertex").mesh()
    u = (torch.sin(math.pi * x) * torch.cos(2 * math.pi * y) * torch.cos(math.pi * z))[None, None]
    spectrum = error_spectrum(0 * u, u, domain, "vertex")
    torch.testing.assert_close(spectrum.error, spectrum.reference)
    assert spectrum.reference.argmax().item() == 1  # |omega| = sqrt(6) pi and shells are 2 pi apart
    assert spectrum.reference.sum().item() == pytest.approx(1 / 8)
