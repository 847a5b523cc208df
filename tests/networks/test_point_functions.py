"""Features and functions of the point."""

import math

import pytest
import torch

from vcycle.networks.boundary_factor import boundary_factor
from vcycle.networks.hidden_layers import HiddenLayers
from vcycle.networks.point_functions import PointFeatures, PointFunctions, point_list
from vcycle.spaces import Domain, Space

MIXED = Domain([2.0, 1.0], [("dirichlet", "neumann"), "periodic"])


def points(*rows: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64).T[None, ..., None]


def test_features_of_a_point():
    features = PointFeatures(MIXED, 1)(points((0.25, 0.25)))[0, :, 0, 0]
    half = math.sqrt(0.5)
    torch.testing.assert_close(features, torch.tensor([-0.5, half, half, 0, 1], dtype=torch.float64))


@pytest.mark.parametrize("waves", [0, 1, 3])
def test_features_are_counted_and_bounded(waves):
    features = PointFeatures(MIXED, waves)
    values = features(torch.rand(1, 2, 50, 40, dtype=torch.float64))
    assert values.shape[1] == features.count
    assert float(values.norm(dim=1).max()) <= features.bound()


@pytest.mark.parametrize("gated", [False, True])
def test_functions_are_periodic_where_the_domain_is(gated):
    f = PointFunctions(MIXED, 3, width=8, depth=2, activation="gelu", gated=gated).double()
    values = f(points((0.3, 0.0), (0.3, 1.0), (0.0, 0.2), (1.0, 0.2)))[0, ..., 0].detach()
    torch.testing.assert_close(values[:, 0], values[:, 1])
    assert float((values[:, 2] - values[:, 3]).abs().max()) > 1e-2


@pytest.mark.parametrize("activation", ["sine", "tanh", "gelu", "relu", "elu", "silu", "leaky_relu"])
def test_the_bound_holds(activation):
    f = PointFunctions(MIXED, 5, width=8, depth=3, activation=activation, features=2).double()
    values = f(torch.rand(1, 2, 50, 40, dtype=torch.float64)).detach()
    assert float(values.norm(dim=1).max()) <= f.bound()


def test_no_bound_is_claimed_where_none_is_known():
    options = {"width": 4, "depth": 1}
    assert PointFunctions(MIXED, 1, activation="selu", **options).bound() is None
    assert PointFunctions(MIXED, 1, activation="tanh", fields=1, **options).bound() is None
    assert PointFunctions(MIXED, 1, activation="tanh", gated=True, **options).bound() is None


def test_the_size_of_a_published_trunk():
    """P304: two coordinates, seven layers of 256, 32 functions."""
    f = PointFunctions(Domain.unit(2), 32, width=256, depth=7, activation="relu")
    assert sum(p.numel() for p in f.parameters()) == 3 * 256 + 6 * 257 * 256 + 257 * 32


def test_gates_mix_two_layers():
    layers = HiddenLayers(Space(MIXED, 3), 4, 2, "tanh", gated=True)
    u = torch.randn(2, 3, 5, 6)
    U, V = (W(u).tanh() for W in layers.gates)
    first = layers.layers[0](u).tanh()
    first = first * U + (1 - first) * V
    second = layers.layers[1](first).tanh()
    torch.testing.assert_close(layers(u), [first, second * U + (1 - second) * V])


def test_a_perceptron_has_a_layer():
    with pytest.raises(ValueError, match="one hidden layer or more, got a depth of 0"):
        HiddenLayers(Space(MIXED, 1), 4, 0, "gelu")


def test_points_of_the_domain_as_points_of_the_unit_box():
    listed = point_list(torch.tensor([[1.0, 0.5], [2.0, 0.0]]), MIXED)
    assert listed.shape == (1, 2, 2, 1)
    assert listed[0, :, :, 0].T.tolist() == [[0.5, 0.5], [1.0, 0.0]]


class TestBoundaryFactor:
    def test_it_vanishes_on_dirichlet_faces_exactly(self):
        face = boundary_factor(points((0.0, 0.3), (0.0, 1.0)), MIXED)
        assert face.abs().max() == 0
        square = boundary_factor(points((1.0, 0.3), (0.2, 0.0), (0.7, 1.0)), Domain.unit(2))
        assert square.abs().max() == 0

    def test_it_is_the_lowest_eigenfunction(self):
        x = torch.tensor([0.1, 0.5, 0.8], dtype=torch.float64)
        for boundary, expected in (
            ("dirichlet", (math.pi * x).sin()),
            ([("dirichlet", "neumann")], (math.pi / 2 * x).sin()),
            ([("neumann", "dirichlet")], (math.pi / 2 * x).cos()),
            ("neumann", torch.ones_like(x)),
            ("periodic", torch.ones_like(x)),
        ):
            torch.testing.assert_close(boundary_factor(x[None, None], Domain.unit(1, boundary))[0, 0], expected)

    def test_it_is_positive_inside_and_at_most_one(self):
        inside = boundary_factor(torch.rand(1, 2, 30, 30, dtype=torch.float64) * 0.98 + 0.01, Domain.unit(2))
        assert float(inside.min()) > 0
        assert float(inside.max()) <= 1
