"""How far an input lies from those that a calibration speaks of."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, resample

Inputs = Float[Tensor, "b c *grid"]
COMPONENTS, AVERAGES = 8, 256  # principal components; block averages per channel at most
LEAST = 1e-6  # deviations below this share of a feature's size are rounding


@dataclass(frozen=True)
class InputDistance:
    """Mahalanobis distance of a few features of an input: d^2 = mean over the features of ((z - mean) / deviation)^2.

    Features z: the principal components of block averages, the logarithm of what these components leave out, and per
    channel the logarithm of the root mean square of the differences of neighbours, for the waves that averages cannot
    see. Fitted to inputs that no calibration uses it is a fixed function, so that the distances of the calibration
    inputs and of a fresh one are exchangeable.

    blocks      block averages per axis
    centre, components   (p,) and (p, r): mean and principal directions of the block averages
    mean, deviation      (z,) of each feature
    """

    blocks: tuple[int, ...]
    centre: Float[Tensor, " p"]
    components: Float[Tensor, "p r"]
    mean: Float[Tensor, " z"]
    deviation: Float[Tensor, " z"]

    @classmethod
    def fit(cls, inputs: Inputs, components: int = COMPONENTS) -> "InputDistance":
        """From at least two inputs; a quarter as many components as inputs at most, and at least one."""
        samples, shape = len(inputs), tuple(inputs.shape[2:])
        if samples < 2:
            raise ValueError(f"the spread of inputs needs at least two of them, got {samples}: give more samples")
        most = round(AVERAGES ** (1 / len(shape)))
        blocks = tuple(min(n, most) for n in shape)
        coarse = _averages(inputs, blocks)
        centre = coarse.mean(0)
        directions = torch.linalg.svd(coarse - centre, full_matrices=False).Vh
        kept = directions[: max(1, min(components, samples // 4))].T.contiguous()
        z = _features(inputs, blocks, centre, kept)
        least = LEAST * z.abs().amax(0).clamp_min(LEAST)
        return cls(blocks, centre, kept, z.mean(0), torch.maximum(z.std(0), least))

    def __call__(self, inputs: Inputs) -> Float[Tensor, " b"]:
        """The distance of every input, about 1 for those like the fitted ones."""
        device = inputs.device
        z = _features(inputs, self.blocks, self.centre.to(device), self.components.to(device))
        return ((z - self.mean.to(device)) / self.deviation.to(device)).square().mean(1).sqrt()


def _features(
    inputs: Inputs, blocks: tuple[int, ...], centre: Float[Tensor, " p"], components: Float[Tensor, "p r"]
) -> Float[Tensor, "b z"]:
    x = inputs.double()
    known = _averages(x, blocks) - centre
    scores = known @ components
    rest = (known - scores @ components.T).square().mean(1, keepdim=True).sqrt()
    size = x.square().flatten(2).mean(2).sqrt()
    steps = torch.stack([x.diff(dim=axis).square().flatten(2).mean(2) for axis in range(2, x.ndim)]).sum(0).sqrt()
    return torch.cat([scores, _logarithm(rest, size.mean(1, keepdim=True)), _logarithm(steps, size)], 1)


def _logarithm(part: Float[Tensor, "b k"], whole: Float[Tensor, "b k"]) -> Float[Tensor, "b k"]:
    """log of part, which rounding relative to the whole does not move."""
    return (part + LEAST * whole + torch.finfo(torch.float64).tiny).log()


def _averages(x: Inputs, blocks: tuple[int, ...]) -> Float[Tensor, "b p"]:
    return resample(x.double(), Domain.unit(len(blocks)), blocks).flatten(1)
