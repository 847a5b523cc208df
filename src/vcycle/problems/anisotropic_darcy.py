"""Flow through a medium with fibres or layers: -div(A grad u) = f with a full symmetric tensor A(x)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.problems.base import Field, Inputs
from vcycle.problems.exact import Function, exact_solution, points_of, source_of, wave
from vcycle.problems.finite_elements import FiniteElements, Moduli
from vcycle.problems.priors import LogNormal, Prior
from vcycle.spaces import GaussianField, Grid, generator

SOURCE_STREAM, ANGLE_STREAMS, TURN_STREAM = 1, (2, 3), 4
LARGEST_RATIO = 1e3


@dataclass(frozen=True)
class AnisotropicDarcy(FiniteElements):
    """-div(A grad u) = f on a box; u = 0 on Dirichlet faces, no flow n . A grad u through Neumann faces.

    prior     distribution of the conductivity k along the fibres
    ratio     k over the conductivity across them: A = k (n n^T + (I - n n^T) / ratio)
    rotation  how much the fibres n turn: standard deviation of their angle in half turns, around a random angle
    source    'constant': f = 1; 'gaussian': a random field, a further input

    Behaviour: u spreads along the fibres and, at high ratio, hardly across, with layers where fibres part.
    Inputs: the entries of A by rows, a_xx, a_xy, a_yy.
    Good values: ratio 10 for a first network; the error on 45 x 45 cells is then about 1 %, and 10 % at ratio 100:
    multilinear elements conduct across fibres that are not aligned with the grid. Ratios to 1000 are solved; the
    V-cycles of large grids then take 3 to 5 times more iterations.
    Predictions have the guaranteed bound in its continuum form. For an isotropic medium use darcy.

    >>> problem = AnisotropicDarcy()
    >>> a = problem.sample((16, 16), seed=0, indices=range(2))
    >>> bool(problem.solve(a).converged.all())
    True
    """

    name: ClassVar[str] = "anisotropic_darcy"
    title: ClassVar[str] = "anisotropic Darcy flow"
    equation: ClassVar[str] = "-div(A grad u) = f"

    prior: Prior = LogNormal(sigma=0.5)
    ratio: float = 10.0
    rotation: float = 0.25
    source: Literal["constant", "gaussian"] = "constant"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.ratio <= LARGEST_RATIO:
            raise ValueError(f"anisotropic_darcy needs 1 <= ratio <= {LARGEST_RATIO:g}, got {self.ratio:g}")
        if not 0 <= self.rotation < math.inf:
            raise ValueError(f"anisotropic_darcy needs rotation >= 0, got {self.rotation:g}")

    @property
    def input_names(self) -> tuple[str, ...]:
        entries = tuple(f"a_{'xyz'[k]}{'xyz'[m]}" for k, m in self._entries)
        return entries if self.source == "constant" else (*entries, "f")

    @property
    def output_names(self) -> tuple[str, ...]:
        return ("u",)

    @property
    def _entries(self) -> list[tuple[int, int]]:
        d = self.domain.dimension
        return [(k, m) for k in range(d) for m in range(k, d)]

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        indices = list(indices)
        conductivity, n = self.prior.sample(self.domain, shape, seed, indices), self._fibres(shape, seed, indices)
        across = 1 / self.ratio
        entries = [conductivity * ((across if k == m else 0.0) + (1 - across) * n[k] * n[m]) for k, m in self._entries]
        if self.source == "gaussian":
            entries.append(GaussianField(self.domain).standard(shape, seed, indices, stream=SOURCE_STREAM))
        return torch.cat(entries, 1)

    def _fibres(self, shape: tuple[int, ...], seed: int, indices: list[int]) -> list[Field]:
        """Unit vectors whose angles are Gaussian fields around a uniform random one."""
        field = GaussianField(self.domain)
        turns = torch.stack([torch.from_numpy(generator(seed, i, TURN_STREAM).random(2)) for i in indices]).view(
            -1, 2, *(1,) * len(shape)
        )
        angles = [
            math.pi * (turns[:, i : i + 1] + self.rotation / math.sqrt(field.variance) * z)
            for i, z in enumerate(field.sample(shape, seed, indices, stream=s) for s in ANGLE_STREAMS[: len(shape) - 1])
        ]
        level = [angles[0].cos(), angles[0].sin()]
        return level if len(shape) == 2 else [*(v * angles[1].cos() for v in level), angles[1].sin()]

    def moduli(self, inputs: Inputs) -> Moduli:
        self.require_channels(inputs)
        a, d = inputs.double(), self.domain.dimension
        index = torch.zeros(d, d, dtype=torch.long)
        for channel, (k, m) in enumerate(self._entries):
            index[k, m] = index[m, k] = channel
        A = a[:, index.flatten()].unflatten(1, (d, d))
        wrong = ~_positive_definite(A)
        if bool(wrong.any()):
            raise ValueError(
                f"the tensor A must be positive definite everywhere, it is not in {int(wrong.sum())} cells: check the "
                f"order of the channels {', '.join(self.input_names)}"
            )
        return A[:, None, :, None, :, None]

    def tensor(self, inputs: Inputs) -> tuple[Float[Tensor, "b d d *grid"], Field]:
        """A and f, as hybrid.energy_bound takes them."""
        return self.moduli(inputs)[:, 0, :, 0, :, 0], self.forcing(inputs)

    def forcing(self, inputs: Inputs) -> Field:
        self.require_channels(inputs)
        return inputs[:, -1:].double() if self.source == "gaussian" else torch.ones_like(inputs[:, :1].double())

    def manufactured(self, shape: tuple[int, ...]) -> tuple[Function, Function, Function]:
        """Smooth entries of A, f and the exact u on a grid, for measuring the order of convergence (2)."""
        points, d = points_of(Grid(self.domain, shape)), self.domain.dimension
        u, bump = exact_solution(points, self.domain), wave(points, self.domain)
        entries = [1.5 + k + 0.5 * bump if k == m else 0.3 * bump - 0.1 * m for k, m in self._entries]
        index = {pair: channel for channel, pair in enumerate(self._entries)}

        def flux(p: Float[Tensor, "c d *grid"]) -> Float[Tensor, "c d *grid"]:
            rows = [sum(entries[index[min(k, m), max(k, m)]] * p[0, m] for m in range(d)) for k in range(d)]
            return torch.stack([torch.as_tensor(row) for row in rows])[None]

        f = source_of(u, flux, points)
        return torch.stack(entries).detach()[None], f.detach()[None], u.detach()[None]


def _positive_definite(A: Float[Tensor, "b d d *grid"]) -> Bool[Tensor, "b *grid"]:
    """Whether all pivots of Gauss's elimination are positive."""
    positive = A[:, 0, 0] > 0
    for _ in range(A.shape[1] - 1):
        A = A[:, 1:, 1:] - A[:, 1:, :1] * A[:, :1, 1:] / A[:, :1, :1]
        positive = positive & (A[:, 0, 0] > 0)
    return positive
