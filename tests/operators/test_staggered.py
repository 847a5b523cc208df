"""Marker and cell: transposes, inverses, and faces known from their means."""

import pytest
import torch

from vcycle.operators.staggered import (
    PressureSchur,
    divergence,
    from_centres,
    inverse_laplacian,
    minus_laplacian,
    pressure_gradient,
    to_centres,
)
from vcycle.spaces import Domain

SHAPES = [(7, 6), (5, 4, 6)]


def field(shape: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    sizes = [[n - (axis == k) for axis, n in enumerate(shape)] for k in range(len(shape))]
    return tuple(torch.randn(2, *size, dtype=torch.float64) for size in sizes)


def spacing(shape: tuple[int, ...]) -> tuple[float, ...]:
    return tuple((axis + 1) / n for axis, n in enumerate(shape))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_is_the_negative_transpose_of_the_divergence(shape):
    u, p, h = field(shape), torch.randn(2, 1, *shape, dtype=torch.float64), spacing(shape)
    through = (divergence(u, h) * p).sum()
    along = sum((a * b).sum() for a, b in zip(u, pressure_gradient(p, h), strict=True))
    torch.testing.assert_close(through, -along)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_transforms_invert_the_laplacian(shape):
    u, h = field(shape), spacing(shape)
    for a, b in zip(minus_laplacian(inverse_laplacian(u, h), h), u, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("shape", SHAPES)
def test_faces_are_known_from_the_means_of_opposite_ones(shape):
    u = field(shape)
    back, left = from_centres(to_centres(u))
    for a, b, rest in zip(back, u, left, strict=True):
        torch.testing.assert_close(a, b)
        assert float(rest.abs().max()) < 1e-13


def test_the_schur_complement_has_eigenvalues_between_0_and_1_and_annihilates_constants():
    D, shape = Domain.unit(2), (6, 5)
    S = PressureSchur(D, shape)
    unit = torch.eye(30, dtype=torch.float64).view(30, 1, *shape)
    matrix = S(unit).flatten(1)
    torch.testing.assert_close(matrix, matrix.T)
    eigenvalues = torch.linalg.eigvalsh(matrix)
    assert abs(float(eigenvalues[0])) < 1e-13
    assert float(eigenvalues[1]) > 0.05
    assert float(eigenvalues[-1]) <= 1 + 1e-12
    assert float(S(torch.ones(1, 1, *shape, dtype=torch.float64)).abs().max()) < 1e-13
