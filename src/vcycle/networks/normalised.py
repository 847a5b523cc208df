"""A network in physical units."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.fitted import Fitted
from vcycle.operators import Affine


class Normalised(nn.Module):
    """u = decode(network(encode(t(x)))): physical inputs to physical outputs.

    t takes the logarithm of the input channels marked in `log` (positive coefficients); with `zero_mean` every output
    channel loses its mean, for problems that fix their solution only up to a constant. Normalisers and flags are
    buffers: the state dict holds all of it. `Normalised.fit` makes the normalisers from data.

    Raises ValueError for an input that is not positive in a channel marked `log`.
    """

    log: Tensor
    zero_mean: Tensor

    def __init__(
        self,
        network: nn.Module,
        encode: Affine,
        decode: Affine,
        *,
        log: Sequence[bool] = (),
        zero_mean: bool = False,
    ):
        super().__init__()
        self.network: nn.Module = network
        self.encode, self.decode = encode, decode
        self.register_buffer("log", _flags(log, encode.shift.shape[0]))
        self.register_buffer("zero_mean", torch.tensor(zero_mean))

    @classmethod
    def fit(
        cls,
        network: nn.Module,
        inputs: Float[Tensor, "b i *grid"],
        outputs: Float[Tensor, "b o *grid"],
        *,
        pointwise: bool = False,
        log: Sequence[bool] = (),
        zero_mean: bool = False,
    ) -> "Normalised":
        """With normalisers that give these inputs and outputs zero mean and unit deviation."""
        flags = _flags(log, inputs.shape[1])
        encode = Affine.fit(_logarithm(inputs, flags), pointwise)
        decode = Affine.fit(_without_mean(outputs) if zero_mean else outputs, pointwise).inverse()
        normalised = cls(network, encode, decode, log=log, zero_mean=zero_mean)
        normalised.fit_network(inputs, outputs)
        return normalised.to(next((p.dtype for p in network.parameters()), inputs.dtype))

    def fit_network(self, inputs: Float[Tensor, "b i *grid"], outputs: Float[Tensor, "b o *grid"]) -> None:
        """What a network takes from data (networks.Fitted), from these pairs; most take nothing."""
        if isinstance(self.network, Fitted):
            self.network.fit(self.encode(_logarithm(inputs, self.log)), self.decode.inverse()(outputs))

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        u = self.decode(self.network(self.encode(_logarithm(x, self.log))))
        return torch.where(self.zero_mean, _without_mean(u), u)


def _flags(log: Sequence[bool], channels: int) -> Tensor:
    if log and len(log) != channels:
        raise ValueError(f"got {len(log)} log flags for {channels} input channels: give one per channel, or none")
    return torch.tensor(list(log) or [False] * channels)


def _logarithm(x: Tensor, flags: Tensor) -> Tensor:
    marked = flags.view(-1, *(1,) * (x.ndim - 2))
    positive = torch.where(marked, x, 1.0)
    if not torch.compiler.is_exporting() and not bool((positive > 0).all()):
        raise ValueError(
            f"an input channel whose logarithm is taken must be positive, got values down to {float(positive.min()):g}"
        )
    return torch.where(marked, positive.log(), x)


def _without_mean(u: Tensor) -> Tensor:
    return u - u.mean(list(range(2, u.ndim)), keepdim=True)
