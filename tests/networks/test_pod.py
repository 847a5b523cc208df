"""The trunk from data: principal components in L2, kept with the weights."""

import pytest
import torch

from vcycle.networks import DeepONet, Normalised
from vcycle.networks.trunk import PODTrunk
from vcycle.spaces import L2, Domain, Space

MIXED = Domain([2.0, 1.0], [("dirichlet", "neumann"), "periodic"])
SHAPE = (8, 6)
SMALL = {"width": 16, "sensors": 4, "branch_depth": 1, "trunk": "pod"}


def outputs(count: int = 20, channels: int = 2) -> torch.Tensor:
    torch.manual_seed(3)
    decay = 0.5 ** torch.arange(6.0).double()
    return 2 + torch.randn(count, channels, *SHAPE, dtype=torch.float64).cumsum(2) * decay


def fitted(rank: int, u: torch.Tensor) -> PODTrunk:
    trunk = PODTrunk(MIXED, u.shape[1], rank).double()
    trunk.fit(u)
    return trunk


def points(shape: tuple[int, int] = SHAPE) -> torch.Tensor:
    return torch.zeros(1, 2, *shape, dtype=torch.float64)


def coefficients(trunk: PODTrunk, u: torch.Tensor) -> torch.Tensor:
    """(b, o, p): those of the L2 projection of u - t_0."""
    mean, functions = trunk(points())
    weight = Space(MIXED).weights(u)
    sizes = (functions.square() * weight).sum((-2, -1))
    return torch.einsum("boxy,opxy->bop", (u - mean) * weight, functions) / sizes


def test_functions_are_orthogonal_and_coefficients_have_variance_one():
    u = outputs()
    trunk = fitted(5, u)
    _, functions = trunk(points())
    weight = Space(MIXED).weights(u)
    gram = torch.einsum("opxy,oqxy->opq", functions * weight, functions)
    off = gram - torch.diag_embed(gram.diagonal(dim1=1, dim2=2))
    assert float(off.abs().max()) < 1e-12 * float(gram.max())
    b = coefficients(trunk, u)
    torch.testing.assert_close(b.mean(0), torch.zeros(2, 5, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(b.var(0), torch.ones(2, 5, dtype=torch.float64))


@pytest.mark.parametrize("rank", [1, 4, 9])
def test_no_other_functions_leave_a_smaller_error(rank):
    """Eckart-Young: the mean square error is the sum of the eigenvalues left out."""
    u = outputs(channels=1)
    trunk = fitted(rank, u)
    mean, functions = trunk(points())
    rest = u - mean - torch.einsum("bop,opxy->boxy", coefficients(trunk, u), functions)
    covariance = (u - mean).flatten(1) * (2 / 48) ** 0.5  # every cell has measure 2 / 48
    eigenvalues = torch.linalg.eigvalsh(covariance.mT @ covariance).flip(0)
    torch.testing.assert_close(L2(MIXED)(rest).square().sum(), eigenvalues[rank:].sum())


def test_with_all_functions_the_data_come_back():
    u = outputs(12)
    trunk = fitted(11, u)
    mean, functions = trunk(points())
    torch.testing.assert_close(mean + torch.einsum("bop,opxy->boxy", coefficients(trunk, u), functions), u)


def test_other_grids_interpolate():
    trunk = fitted(3, outputs())
    mean, functions = trunk(points((16, 12)))
    assert mean.shape == (2, 16, 12)
    assert functions.shape == (2, 3, 16, 12)
    coarse = trunk(points((4, 3)))[1]
    torch.testing.assert_close(coarse, trunk.functions.unflatten(-2, (4, 2)).unflatten(-1, (3, 2)).mean((-3, -1)))


def test_without_data_there_is_no_trunk():
    network = DeepONet(1, 1, rank=3, **SMALL)
    with pytest.raises(ValueError, match=r"before it has seen outputs: call fit\(inputs, outputs\) first"):
        network(torch.randn(1, 1, 8, 8))
    with pytest.raises(ValueError, match="3 outputs have at most 2 principal components, but the rank is 3"):
        network.fit(torch.randn(3, 1, 8, 8), torch.randn(3, 1, 8, 8))


def test_lists_of_points_are_refused():
    network = DeepONet(1, 1, rank=3, **SMALL)
    with pytest.raises(ValueError, match="known on a grid only: call the network and resample"):
        network.at(torch.randn(1, 1, 8, 8), torch.rand(5, 2))


def test_normalised_fits_it_to_the_outputs_the_network_should_give():
    u = outputs(channels=1)
    a = torch.rand_like(u) + 0.5
    network = Normalised.fit(DeepONet(1, 1, rank=3, **SMALL, domain=MIXED), a, u, log=[True])
    scaled = (u - u.mean()) / (u.std() + 1e-5)
    torch.testing.assert_close(network.network.trunk.mean, scaled.mean(0).float())
    program = torch.export.export(network.eval(), (a.float(),))
    torch.testing.assert_close(program.module()(a.float()), network(a.float()))


def test_a_state_brings_its_functions_along():
    first = DeepONet(1, 1, rank=3, **SMALL, domain=MIXED)
    u = outputs(channels=1).float()
    first.fit(u, u)
    second = DeepONet(1, 1, rank=3, **SMALL, domain=MIXED)
    second.load_state_dict(first.state_dict())
    x = torch.randn(2, 1, *SHAPE)
    assert torch.equal(first(x), second(x))
