import pytest
import torch

from vcycle.operators import Stretching
from vcycle.spaces import Domain, Space


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_it_is_exact_on_affine_functions_of_points_from_end_to_end(dimension):
    def plane(n: int) -> torch.Tensor:
        axes = [torch.linspace(0, 1, n, dtype=torch.float64)] * dimension
        return sum((j + 1) * x for j, x in enumerate(torch.meshgrid(*axes, indexing="ij")))[None, None]

    P = Stretching(Space(Domain.unit(dimension)))
    torch.testing.assert_close(P(plane(4)), plane(8), rtol=0, atol=1e-14)


def test_a_periodic_axis_has_no_ends():
    with pytest.raises(ValueError, match="both ends of a periodic axis are one point"):
        Stretching(Space(Domain([1.0, 1.0], ["dirichlet", "periodic"])))
