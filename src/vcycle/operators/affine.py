"""Normalisers: affine maps whose numbers live in the state dict."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Affine(nn.Module):
    """x -> (x - shift) / scale, with shift and scale (c, 1, ...) per channel or (c, *grid) per point.

    Both are buffers, so that a checkpoint carries them; loading a state takes over their shapes.

    >>> x = torch.tensor([[[1.0, 3.0]], [[5.0, 7.0]]])
    >>> encode = Affine.fit(x)
    >>> decode = encode.inverse()
    >>> torch.allclose(decode(encode(x)), x)
    True
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, shift: Float[Tensor, "c *grid"], scale: Float[Tensor, "c *grid"]):
        super().__init__()
        _require_size(scale)
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)

    @classmethod
    def fit(cls, samples: Float[Tensor, "b c *grid"], pointwise: bool = False, eps: float = 1e-5) -> "Affine":
        """Zero mean and unit deviation: scale = std + eps, std unbiased, over samples and points or samples alone."""
        dims = [0] if pointwise else [0, *range(2, samples.ndim)]
        if samples.shape[0] < 2:
            raise ValueError(f"a normaliser is fitted to two samples or more, got {samples.shape[0]}")
        mean, deviation = samples.mean(dims, keepdim=True)[0], samples.std(dims, keepdim=True)[0]
        if not bool((deviation + eps != 0).all()):
            raise ValueError("a normaliser cannot divide samples that do not vary by 0: fit it with eps > 0")
        return cls(mean, deviation + eps)

    @classmethod
    def identity(cls, channels: int, dimension: int) -> "Affine":
        """x -> x, and the place to load a fitted one into."""
        shape = (channels,) + (1,) * dimension
        return cls(torch.zeros(shape), torch.ones(shape))

    def forward(self, x: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        if self.shift[0].numel() > 1 and self.shift.shape[1:] != x.shape[2:]:
            raise ValueError(
                f"this normaliser was fitted pointwise on a grid of shape {tuple(self.shift.shape[1:])}, got "
                f"{tuple(x.shape[2:])}: use that resolution, or fit with pointwise=False"
            )
        return (x - self.shift) / self.scale

    def inverse(self) -> "Affine":
        """y -> y * scale + shift."""
        return Affine(-self.shift / self.scale, 1 / self.scale)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        for name in ("shift", "scale"):
            if prefix + name in state_dict:
                buffer = self.get_buffer(name)
                self.register_buffer(name, buffer.new_empty(state_dict[prefix + name].shape))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def extra_repr(self) -> str:
        return f"{self.shift.shape[0]} channels, {'per point' if self.shift[0].numel() > 1 else 'per channel'}"


def _require_size(scale: Float[Tensor, "c *grid"]) -> None:
    """A size that single precision, which networks keep it in, can hold and divide by."""
    limits = torch.finfo(torch.float32)
    for channel, size in enumerate(scale.abs().flatten(1)):
        if bool((size == 0).any()):
            raise ValueError(
                f"channel {channel} of the fields to scale is 0 everywhere, and no factor brings it to size 1: leave "
                "it out, give samples in which it is not 0, or do not scale"
            )
        if not bool(((size >= limits.tiny) & (size <= limits.max)).all()):
            raise ValueError(
                f"channel {channel} of the fields to scale has a size beyond single precision ({limits.tiny:.0e} to "
                f"{limits.max:.0e}): use other units"
            )
