import math

import pytest
import torch

from vcycle.networks.cloud_transforms import CloudToGrid, GridToCloud, HalfPlaneMultiplier

WAVES = ((0, 0), (2, 0), (-1, 1), (2, 2), (-3, 1))  # within 3 by 3 modes


def identity(multiplier: HalfPlaneMultiplier) -> None:
    """R_k = 1."""
    with torch.no_grad():
        for weight in (multiplier.positive, multiplier.negative):
            weight.zero_()
            weight[..., 0] = torch.eye(weight.shape[0])[..., None, None]


def cloud(n: int = 11) -> torch.Tensor:
    return torch.rand(2, n, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))


def regular(shape: tuple[int, int]) -> torch.Tensor:
    axes = [torch.arange(n, dtype=torch.float64) / n for n in shape]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)


def waves(x: torch.Tensor, modes: tuple[tuple[int, int], ...] = WAVES) -> torch.Tensor:
    """A trigonometric polynomial at points (..., 2)."""
    phases = [2 * math.pi * (k[0] * x[..., 0] + k[1] * x[..., 1]) for k in modes]
    return sum((j + 1) * (phase + j).cos() for j, phase in enumerate(phases))


def test_from_a_regular_cloud_to_a_grid_trigonometric_polynomials_are_exact():
    """Up to the numbers of points, which the published sums leave in."""
    transform = CloudToGrid(1, (3, 3), (8, 12)).double()
    identity(transform.multiplier)
    x = regular((10, 9))
    v = transform(waves(x).view(1, 1, -1), x.view(1, -1, 2))
    torch.testing.assert_close(v[0, 0] * 96 / 90, waves(regular((8, 12))), rtol=0, atol=1e-12)


def test_from_a_grid_to_a_cloud_functions_of_the_first_coordinate_are_exact():
    transform = GridToCloud(1, (3, 3)).double()
    identity(transform.multiplier)
    modes = ((0, 0), (2, 0), (1, 0))
    u = transform(waves(regular((8, 12)), modes).expand(2, 1, 8, 12), cloud())
    torch.testing.assert_close(u[:, 0] / 96, waves(cloud(), modes), rtol=0, atol=1e-12)


def test_the_published_mirror_image_is_shifted_by_one():
    """cos(2 pi y) comes out with its half k_2 = -1 one frequency further along the first axis."""
    transform = GridToCloud(1, (3, 3)).double()
    identity(transform.multiplier)
    x = cloud()
    u = transform(waves(regular((8, 12)), ((0, 1),)).expand(2, 1, 8, 12), x)
    expected = 0.5 * (waves(x, ((0, 1),)) + waves(x, ((1, 1),)))
    torch.testing.assert_close(u[:, 0] / 96, expected, rtol=0, atol=1e-12)


def test_points_have_no_order():
    to_grid, from_grid = CloudToGrid(3, (2, 3), (4, 6)).double(), GridToCloud(3, (2, 3)).double()
    order, x = torch.randperm(11), cloud()
    u, v = torch.randn(2, 3, 11, dtype=torch.float64), torch.randn(2, 3, 4, 6, dtype=torch.float64)
    torch.testing.assert_close(to_grid(u[..., order], x[:, order]), to_grid(u, x), rtol=0, atol=1e-13)
    torch.testing.assert_close(from_grid(v, x[:, order]), from_grid(v, x)[..., order], rtol=0, atol=1e-13)


def test_more_modes_than_the_grid_carries_are_refused():
    with pytest.raises(ValueError, match=r"a grid of \(8, 8\) points carries \(4, 5\) modes, got \(5, 3\)"):
        CloudToGrid(1, (5, 3), (8, 8))
