"""The audit tells apart what the model, the interpolation and the grid contribute."""

import math

import pytest
import torch

from vcycle.analysis import audit_resolutions
from vcycle.spaces import Domain, Grid

LINE = Domain.unit(1)


def function(n: int, scale: float = 1.0) -> torch.Tensor:
    x = Grid(LINE, (n,)).axis(0)
    return torch.stack([torch.sin(math.pi * x), torch.sin(2 * math.pi * x)])[:, None] * scale


def sets(*sizes: int) -> dict[tuple[int, ...], tuple[torch.Tensor, torch.Tensor]]:
    return {(n,): (function(n), function(n)) for n in sizes}


def test_an_operator_that_ignores_the_grid_has_one_error_on_all():
    rows = audit_resolutions(lambda a: 1.1 * a, sets(16, 32, 64), (32,), LINE, same_functions=True)
    assert [row.shape for row in rows] == [(16,), (32,), (64,)]
    for row in rows:
        assert row.network is not None and row.network.median == pytest.approx(0.1)


def test_interpolation_and_grid_errors_are_told_apart():
    rows = audit_resolutions(lambda a: a, sets(16, 32, 64), (32,), LINE, same_functions=True)
    coarse, trained, fine = rows
    assert trained.interpolated is None and fine.grid is None
    assert fine.interpolated is not None and 1e-4 < fine.interpolated.worst < 1e-2
    assert coarse.grid is not None and trained.grid is not None
    # A point value differs from the average over its cell by k^2 h^2 / 24 of it, less what the finest grid has itself.
    expected = (math.pi / 16) ** 2 / 24 * (1 - 1 / 16)
    assert coarse.grid.least == pytest.approx(expected, rel=0.02)
    assert coarse.grid.least / trained.grid.least == pytest.approx((1 - 1 / 16) / (1 / 4 - 1 / 16), rel=0.02)


def test_a_refusal_is_a_finding():
    def predict(a: torch.Tensor) -> torch.Tensor:
        if a.shape[2] != 32:
            raise ValueError("needs 32 points")
        return a

    rows = audit_resolutions(predict, sets(16, 32), (32,), LINE, same_functions=True)
    assert rows[0].network is None and rows[0].refusal == "needs 32 points"
    assert rows[0].interpolated is not None
    assert rows[0].to_dict()["network"] is None
    assert rows[1].network is not None and rows[1].network.worst == 0.0


def test_other_functions_on_other_grids_give_the_network_alone():
    rows = audit_resolutions(lambda a: 2 * a, sets(8, 16), (8,), LINE, same_functions=False)
    assert all(row.interpolated is None and row.grid is None for row in rows)
    assert [row.network.mean for row in rows if row.network] == pytest.approx([1.0, 1.0])
