"""Fixed points z = T(z) by damped Picard iteration, on request with Anderson acceleration."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.solvers.solution import Solution
from vcycle.spaces import per_sample

Field = Float[Tensor, "b c *grid"]
Map = Callable[[Tensor], Tensor]
REGULARISATION = 1e-12  # of Anderson's normal equations, relative to their trace


def fixed_point(
    T: Map,
    start: Field,
    *,
    tolerance: float = 1e-6,
    most: int = 100,
    damping: float = 0.0,
    window: int = 0,
) -> Solution:
    """z <- damping z + (1 - damping) T(z) until ||T(z) - z|| <= tolerance ||T(z)||, every sample by itself.

    If T contracts with rate q, so does the iteration with rate damping + (1 - damping) q, and z is no farther than
    ||T(z) - z|| / (1 - q) from the one fixed point. Anderson acceleration combines the last `window` + 1 residuals;
    samples that it does not bring home go on by Picard from their best z, so that the guarantee stays. The value is
    T(z) for the z whose residual is reported. Under torch.export all `most` steps are taken.

    >>> fixed_point(torch.cos, torch.ones(1, 1, 1), tolerance=1e-6).value
    tensor([[[0.7391]]])

    Sources: P142, section 3; Walker and Ni, SIAM J. Numer. Anal. 49 (2011).
    """
    best = _Best(start)
    iterations = _iterate(T, best, tolerance, most, damping, window)
    if window and not torch.compiler.is_exporting() and not bool(best.done.all()):
        iterations += _iterate(T, best, tolerance, most, damping, 0)
    converged = best.done
    message = (
        f"converged in {iterations} iterations"
        if torch.compiler.is_exporting() or bool(converged.all())
        else f"{int((~converged).sum())} samples missed {tolerance:.0e} after {iterations} iterations: allow more, or "
        "damp them; if the residual does not fall, the map is no contraction"
    )
    return Solution(best.image, best.residual, iterations, converged, message)


class _Best:
    """For every sample the z with the smallest residual so far, its image T(z), and whether it has converged."""

    z: Field
    image: Field
    residual: Float[Tensor, " b"]
    done: Bool[Tensor, " b"]

    def __init__(self, start: Field):
        self.z = self.image = start
        self.residual = start.new_full(start.shape[:1], torch.inf)
        self.done = torch.zeros_like(self.residual, dtype=torch.bool)

    def update(self, z: Field, image: Field, f: Field, tolerance: float) -> None:
        residual = _size(f) / _size(image).clamp_min(torch.finfo(z.dtype).tiny)
        better = ~self.done & (residual < self.residual)
        if not torch.compiler.is_exporting() and bool(better.all()):
            self.z, self.image = z, image
        else:
            self.z, self.image = _where(better, z, self.z), _where(better, image, self.image)
        self.residual = torch.where(better, residual, self.residual)
        self.done = self.residual <= tolerance


def _iterate(T: Map, best: _Best, tolerance: float, most: int, damping: float, window: int) -> int:
    z, history = best.z, list[tuple[Tensor, Tensor]]()
    for step in range(most):
        image = T(z)
        f = image - z
        best.update(z, image, f, tolerance)
        if not torch.compiler.is_exporting() and bool(best.done.all()):
            return step + 1
        history = [*history[-window:], (z, f)] if window else [(z, f)]
        z = _next(history, damping)
    return most


def _next(history: list[tuple[Tensor, Tensor]], damping: float) -> Tensor:
    """z + (1 - damping) f, less the combination of past differences that makes the residual f smallest."""
    z, f = history[-1]
    picard = z + (1 - damping) * f
    if len(history) == 1:
        return picard
    zs, fs = (torch.stack([entry[i].flatten(1) for entry in history], 1) for i in (0, 1))
    dz, df = zs.diff(dim=1), fs.diff(dim=1)  # (b, window, n)
    gram = df @ df.mT
    ridge = REGULARISATION * gram.diagonal(dim1=1, dim2=2).sum(1) + torch.finfo(z.dtype).tiny
    system = gram + ridge[:, None, None] * torch.eye(gram.shape[1], dtype=z.dtype, device=z.device)
    weights = torch.linalg.solve_ex(system, df @ f.flatten(1)[..., None])[0]
    return picard - ((dz + (1 - damping) * df).mT @ weights)[..., 0].view_as(z)


def _size(u: Tensor) -> Float[Tensor, " b"]:
    return u.flatten(1).norm(dim=1)


def _where(mask: Tensor, u: Tensor, v: Tensor) -> Tensor:
    return torch.where(per_sample(mask, u), u, v)
