"""What lies beyond the last point."""

import pytest
import torch

from vcycle.spaces import Domain, ghosts, pad


@pytest.mark.parametrize(
    ("ghost", "expected"),
    [
        ("zeros", [0, 0, 1, 2, 3, 0, 0]),
        ("circular", [2, 3, 1, 2, 3, 1, 2]),
        ("replicate", [1, 1, 1, 2, 3, 3, 3]),
        ("reflect", [3, 2, 1, 2, 3, 2, 1]),
    ],
)
def test_two_ghosts_at_both_ends(ghost, expected):
    assert pad(torch.tensor([1, 2, 3]).float(), 2, ((ghost, ghost),)).tolist() == expected


def test_ghosts_follow_the_boundary_conditions():
    domain = Domain.unit(2, ["periodic", ("dirichlet", "neumann")])
    assert ghosts(domain) == (("circular", "circular"), ("zeros", "replicate"))


@pytest.mark.parametrize("mode", ["circular", "replicate", "reflect"])
def test_agrees_with_torch_on_a_batch_of_planes(mode):
    u = torch.arange(24.0).view(1, 2, 3, 4)
    torch.testing.assert_close(pad(u, 2, ((mode, mode),) * 2), torch.nn.functional.pad(u, (2, 2, 2, 2), mode=mode))


def test_width_zero_changes_nothing():
    u = torch.rand(1, 1, 3, 4)
    assert torch.equal(pad(u, 0, (("zeros", "replicate"), ("reflect", "circular"))), u)
