import pytest
import torch

from vcycle.operators import BoundedSpectral
from vcycle.spaces import Domain, Space

DOMAINS = [Domain.unit(2), Domain([2.0], "periodic"), Domain.unit(2, "neumann")]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_norm_stays_within_the_bound_for_any_parameters(domain, scale):
    W = BoundedSpectral(Space(domain, 3), (4,) * domain.dimension, 0.8).double()
    for p in W.parameters():
        p.data *= scale
    u = torch.randn(2, 3, *(8,) * domain.dimension, dtype=torch.float64)
    for _ in range(40):
        image = W.adjoint()(W(u)).detach()
        u = image / image.norm()
    norm = float((W(u).norm() / u.norm()).detach())
    bound = W.norm_bound()
    assert norm <= bound * (1 + 1e-10)
    assert bound <= 0.8 * (1 + 1e-12)
    assert norm > 0.9 * bound  # what norm_bound says is attained
    if scale == 1e3:
        assert bound > 0.3  # and Schur's test is not far from the truth


def test_small_matrices_are_left_alone():
    W = BoundedSpectral(Space(Domain.unit(1), 1), (3,), 0.9).double()
    W.weight.data.fill_(0.5)
    W.rest.data.fill_(0.5)
    u = torch.randn(1, 1, 8, dtype=torch.float64)
    torch.testing.assert_close(W(u), 0.5 * u)
