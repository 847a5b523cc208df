"""What a branch sees of a field: its averages over a fixed grid."""

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.checks import check_counts
from vcycle.networks.even import evenly
from vcycle.spaces import Domain, resample


class Sensors(nn.Module):
    """A field as one vector: its averages over a fixed grid of `points` cells per axis.

    On grids that are finer than the sensors this is the L2 projection to functions that are constant on the cells of
    the sensors, coarser fields are interpolated: the vector is that of the function, whatever the resolution.
    Vectors are fields on one point, (b, count, 1, ...) with as many axes as the domain.
    """

    def __init__(self, domain: Domain, channels: int, points: int):
        super().__init__()
        check_counts("a network with sensors", in_channels=channels, sensors=points)
        self.domain, self.shape = evenly(domain), (points,) * domain.dimension
        self.count = channels * points**domain.dimension

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b count *one"]:
        averages = resample(x, self.domain, self.shape).flatten(1)
        return averages.view(*averages.shape, *(1,) * self.domain.dimension)

    def extra_repr(self) -> str:
        return f"{self.count} numbers, shape={self.shape}"
