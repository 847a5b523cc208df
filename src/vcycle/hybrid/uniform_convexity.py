"""From energies to distances: what the gap of a p-energy says of gradients."""

import torch
from jaxtyping import Float
from torch import Tensor

PerSample = Float[Tensor, " b"]
STEPS = 100


def gradient_bound(gap: PerSample, p: float, size: PerSample) -> PerSample:
    """x >= ||grad(u - v)|| in L^p with the weight a, from gap >= E(v) - E(u) of the p-energy
    integral of a (epsilon^2 + |grad u|^2)^(p/2) / p - f u.

    p >= 2: x^p = p (2^(p - 1) - 1) gap.
    p < 2:  the largest x with x^2 <= 2 / (p - 1) gap (size + x)^(2 - p), found from above.
    size    (b,) the norm of (epsilon^2 + |grad v|^2)^(1/2) in the same space; of use for p < 2 only

    The gap may be that of the discrete energy, the norms being sums over subcells. Raises ValueError for p <= 1.
    Sources: Lindqvist, Notes on the p-Laplace equation, 2006, for p >= 2; docs/theory_beyond.md.
    """
    if not p > 1:
        raise ValueError(f"a p-energy is uniformly convex for p > 1, got p = {p:g}")
    if p >= 2:
        return (p * (2 ** (p - 1) - 1) * gap) ** (1 / p)
    square = 2 / (p - 1) * gap
    x = torch.maximum(size, (square * 2 ** (2 - p)) ** (1 / p))
    for _ in range(STEPS):
        x = torch.minimum(x, (square * (size + x) ** (2 - p)).sqrt())
    return x
