"""Losses in physical units: the norms of vcycle.spaces, one number per sample."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import H1, L2, Domain, Norm
from vcycle.spaces.grid import Placement
from vcycle.training.batch import Batch, Loss

NormOf = Callable[[Float[Tensor, "b c *grid"]], Norm]


@dataclass(frozen=True)
class Misfit:
    """||v - u|| / ||u||, or ||v - u|| if not `relative`, between the prediction v and the label u of each sample.

    `norm_of` gives the norm that belongs to the inputs of a batch: an energy norm depends on the coefficient.
    """

    norm_of: NormOf
    relative: bool = True

    def __call__(self, prediction: Float[Tensor, "b c *grid"], batch: Batch) -> Float[Tensor, " b"]:
        if batch.targets is None:
            raise ValueError("this loss compares with labels and the batch has none: give targets, or a loss without")
        norm = self.norm_of(batch.inputs)
        return norm.relative(prediction, batch.targets) if self.relative else norm(prediction - batch.targets)


def l2(domain: Domain, placement: Placement = "cell", relative: bool = True) -> Loss:
    """||v - u|| / ||u|| with ||u||^2 = integral of u^2."""
    norm = L2(domain, placement)
    return Misfit(lambda inputs: norm, relative)


def h1(domain: Domain, placement: Placement = "cell", relative: bool = True) -> Loss:
    """||v - u|| / ||u|| with ||u||^2 = integral of u^2 + |grad u|^2."""
    norm = H1(domain, placement)
    return Misfit(lambda inputs: norm, relative)


def energy(norm_of: NormOf, relative: bool = True) -> Loss:
    """||v - u||_a / ||u||_a in the energy norm of each sample's own coefficient."""
    return Misfit(norm_of, relative)
