import torch

from vcycle.networks.coordinates import append_coordinates


def zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(1, 1, *shape, dtype=torch.float64)


def test_cells_are_the_same_points_at_every_resolution():
    coarse, fine = (append_coordinates(zeros(n, n), "cells") for n in (4, 8))
    averaged = torch.nn.functional.avg_pool2d(fine, 2)
    torch.testing.assert_close(averaged, coarse, rtol=0, atol=1e-15)


def test_the_three_kinds():
    assert append_coordinates(zeros(4), "cells")[0, 1].tolist() == [0.125, 0.375, 0.625, 0.875]
    assert append_coordinates(zeros(4), "corners")[0, 1].tolist() == [0.0, 0.25, 0.5, 0.75]
    assert append_coordinates(zeros(5), "ends")[0, 1].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert append_coordinates(zeros(5), None).shape == (1, 1, 5)


def test_one_channel_per_axis_after_the_data():
    x = torch.rand(2, 3, 4, 5, 6)
    out = append_coordinates(x, "cells")
    assert out.shape == (2, 6, 4, 5, 6)
    assert torch.equal(out[:, :3], x)
    assert float(out[0, 5, 0, 0].diff().min()) > 0
