"""One function at every resolution, a function of (seed, index) alone, with the covariance that is promised."""

import math

import pytest
import torch

from vcycle.spaces import Basis, Domain, GaussianField, generator

BOX = Domain([(0.0, 1.0), (-1.0, 1.0)], ["periodic", "dirichlet"])


def test_values_at_shared_points_agree_at_every_resolution():
    field = GaussianField(BOX, modes=24)
    coarse, fine = (field.sample(shape, 7, [0, 3], "vertex") for shape in ((8, 9), (32, 33)))
    torch.testing.assert_close(fine[:, :, ::4, ::4], coarse, rtol=0, atol=1e-12)
    cells, tripled = (field.sample(shape, 7, [0, 3]) for shape in ((8, 10), (24, 30)))
    torch.testing.assert_close(tripled[:, :, 1::3, 1::3], cells, rtol=0, atol=1e-12)


def test_cells_and_vertices_sample_one_function():
    """The cells of n are the odd vertices of 2 n + 1."""
    field = GaussianField(Domain.unit(1, "neumann"), modes=16)
    cells, vertices = field.sample((8,), 1, [5]), field.sample((17,), 1, [5], "vertex")
    torch.testing.assert_close(cells, vertices[..., 1::2], rtol=0, atol=1e-12)


def test_a_sample_depends_on_seed_index_and_stream_alone():
    field = GaussianField(BOX, modes=8)
    batch = field.sample((6, 6), 1, range(10))
    assert torch.equal(field.sample((6, 6), 1, [7, 2]), batch[[7, 2]])
    others = [field.sample((6, 6), 2, [7]), field.sample((6, 6), 1, [8]), field.sample((6, 6), 1, [7], stream=1)]
    assert all((other - batch[[7]]).abs().max() > 1e-3 for other in others)


def test_streams_indices_and_seeds_never_share_a_key():
    keys = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0, 255), (0, 256, 0), (2**63, 0, 0), (-1, 0, 0)]
    draws = {generator(*key).standard_normal() for key in keys}
    assert len(draws) == len(keys)


@pytest.mark.parametrize(("index", "stream"), [(0, 256), (0, -1), (-1, 0)])
def test_numbers_that_would_share_a_key_are_refused(index, stream):
    with pytest.raises(ValueError, match="expected"):
        generator(0, index, stream)


@pytest.mark.parametrize(("alpha", "tau"), [(2.0, 3.0), (1.5, 1.0)])
def test_the_coefficients_have_the_promised_covariance(alpha, tau):
    """E c_k^2 = tau^(2 alpha - d) (lambda_k + tau^2)^-alpha, and different modes are uncorrelated.

    With N samples a normalised variance has standard deviation sqrt(2/N), a correlation 1/sqrt(N); over m numbers
    the largest deviation stays below sqrt(2 log m) + 2 of them, but for one seed in a hundred.
    """
    domain, samples, modes = Domain([1.0, 2.0], ["periodic", "neumann"]), 4000, 6
    u = GaussianField(domain, alpha, tau, modes=modes).sample((modes, modes), 11, range(samples), "vertex")
    basis = Basis(domain, "vertex")
    expected = tau ** (2 * alpha - 2) * (basis.laplacian((modes, modes)) + tau**2) ** -alpha
    c = (basis.analyse(u)[:, 0] / expected.sqrt()).flatten(1)[:, 1:]
    covariance = c.T @ c / samples
    limit = math.sqrt(2 * math.log(covariance.numel())) + 2
    assert (covariance.diag() - 1).abs().max() < limit * math.sqrt(2 / samples)
    assert (covariance - covariance.diag().diag()).abs().max() < limit / math.sqrt(samples)
    assert c.mean(0).abs().max() < limit / math.sqrt(samples)


def test_point_variance_is_the_sum_of_the_spectrum():
    """A periodic field is stationary: its variance is sum_k E c_k^2 |phi_k|^2 with |phi|^2 = 1 on average."""
    domain, samples = Domain.unit(1, "periodic"), 4000
    u = GaussianField(domain, modes=33).sample((33,), 5, range(samples))
    spectrum = 3.0 ** (2 * 2 - 1) * (Basis(domain).laplacian((33,)) + 9) ** -2.0
    variance = u.square().mean().item()
    assert variance == pytest.approx(spectrum[1:].sum().item(), rel=0.05)


def test_there_is_no_constant_mode():
    u = GaussianField(BOX, modes=12).sample((24, 24), 0, range(3))
    assert u.mean((-2, -1)).abs().max() < 1e-14


def test_faces_carry_no_flux():
    u = GaussianField(Domain.unit(1, "dirichlet"), modes=8).sample((4097,), 0, range(4), "vertex")
    slope = (u[..., 1] - u[..., 0]) * 4096
    assert slope.abs().max() < 1e-2 * u.abs().max() * 8


def test_conforming_fields_meet_the_boundary_conditions():
    """They vanish at Dirichlet faces and are level at Neumann faces, and keep their covariance."""
    box = Domain([(1.0, 3.0)], [("dirichlet", "neumann")])
    field = GaussianField(box, alpha=4.0, modes=16, conforming=True)
    u = field.sample((2001,), 0, range(50), "vertex")[:, 0]
    assert u[:, 0].abs().max() < 1e-12
    assert (u[:, -1] - u[:, -2]).abs().max() < 1e-4 * u.abs().max()
    amplitude = 3.0**3.5 * (Basis(box).wavenumbers((16,))[0].square() + 9.0) ** -2
    assert field.variance == pytest.approx(float(amplitude.square().sum()) / 2)
