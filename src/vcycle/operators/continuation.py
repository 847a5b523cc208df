"""Fields continued beyond the boundary, with a fast derivative."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vcycle.spaces import Ghost, pad

Faces = tuple[tuple[Ghost, Ghost], ...]


def continued(u: Tensor, width: int, faces: Faces) -> Tensor:
    """spaces.pad: `width` ghost points at both ends of every trailing axis, one pair of continuations per axis."""
    kinds = {kind for pair in faces for kind in pair}
    if len(kinds) == 1 and "circular" not in kinds:
        (kind,) = kinds
        return F.pad(u, (width, width) * len(faces), mode="constant" if kind == "zeros" else kind)
    return _Continue.apply(u, width, faces)


class _Continue(torch.autograd.Function):
    """pad, whose transpose adds the ghosts in place: automatic differentiation would copy the field once a ghost."""

    @staticmethod
    def forward(u: Tensor, width: int, faces: Faces) -> Tensor:
        return pad(u, width, faces)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int, Faces], output: Tensor) -> None:
        _, ctx.width, ctx.faces = inputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (g,) = gradients
        for axis, pair in enumerate(ctx.faces):
            g = _folded(g, axis - len(ctx.faces), ctx.width, pair)
        return g, None, None


def _folded(g: Tensor, dim: int, width: int, pair: tuple[Ghost, Ghost]) -> Tensor:
    """The ghosts of one axis added to the points that they repeat."""
    n = g.shape[dim] - 2 * width
    out = g.narrow(dim, width, n).clone(memory_format=torch.preserve_format)
    for kind, start, high in ((pair[0], 0, False), (pair[1], n + width, True)):
        ghost = g.narrow(dim, start, width)
        if kind == "circular":
            out.narrow(dim, 0 if high else n - width, width).add_(ghost)
        elif kind == "replicate":
            out.narrow(dim, n - 1 if high else 0, 1).add_(ghost.sum(dim, keepdim=True))
        elif kind == "reflect":
            out.narrow(dim, n - 1 - width if high else 1, width).add_(ghost.flip(dim))
    return out
