"""Linear elasticity: the displacement of a loaded body whose stiffness varies from place to place."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.base import Field, Inputs
from vcycle.problems.exact import Function, exact_solution, points_of, source_of, wave
from vcycle.problems.finite_elements import FiniteElements, Moduli
from vcycle.problems.priors import Prior, TwoPhase
from vcycle.spaces import Domain, GaussianField, Grid

SOURCE_STREAM = 1
LARGEST_POISSON_RATIO = 0.45


@dataclass(frozen=True)
class Elasticity(FiniteElements):
    """-div sigma = f, sigma = lambda tr(eps) I + 2 mu eps, eps = (grad u + grad u^T) / 2, on a box.

    Dirichlet faces are clamped (u = 0), Neumann faces free of traction (sigma n = 0). In two dimensions plane strain.

    prior          distribution of Young's modulus E(x) > 0
    poisson_ratio  nu; lambda = E nu / ((1 + nu) (1 - 2 nu)), mu = E / (2 (1 + nu))
    force          'gravity': f = -1 along the last axis; 'traction': f = 0, and sigma n = -1 along the last axis on the
                   high face of the first, which must be Neumann; 'gaussian': random fields, further inputs

    Behaviour: elliptic; u is smooth where E is, with kinks where it jumps and singular stresses where a clamped face
    meets a free one. u is proportional to 1 / E and to the force. Output: the displacement u_x, u_y.
    Good values: E between 1 and 10, nu = 0.3, a beam clamped at one end. nu is limited to 0.45: multilinear elements
    lock as nu tends to 1/2, the displacement then being too small by a factor that only finer grids remove.
    Free faces everywhere would leave the rigid motions undetermined, and are refused.

    >>> problem = Elasticity()
    >>> E = problem.sample((16, 16), seed=0, indices=range(2))
    >>> bool(problem.solve(E).converged.all())
    True
    """

    name: ClassVar[str] = "elasticity"
    title: ClassVar[str] = "linear elasticity"
    equation: ClassVar[str] = "-div(lambda tr(eps) I + 2 mu eps) = f"

    domain: Domain = Domain.unit(2, [("dirichlet", "neumann"), "neumann"])
    prior: Prior = TwoPhase(1.0, 10.0)
    poisson_ratio: float = 0.3
    force: Literal["gravity", "traction", "gaussian"] = "gravity"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -1 < self.poisson_ratio <= LARGEST_POISSON_RATIO:
            raise ValueError(
                f"elasticity needs -1 < poisson_ratio <= {LARGEST_POISSON_RATIO}, beyond which the elements lock, got "
                f"{self.poisson_ratio:g}: give a smaller one"
            )
        if self.force == "traction" and self.domain.boundary[0][1] != "neumann":
            raise ValueError(
                f"traction acts on the high face of the first axis, which is {self.domain.boundary[0][1]}: make it "
                "neumann, or choose another force"
            )

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("E",) if self.force != "gaussian" else ("E", *(f"f_{axis}" for axis in self._axes))

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(f"u_{axis}" for axis in self._axes)

    @property
    def positive_names(self) -> tuple[str, ...]:
        return ("E",)

    @property
    def _axes(self) -> str:
        return "xyz"[: self.domain.dimension]

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        indices = list(indices)
        E = self.prior.sample(self.domain, shape, seed, indices)
        if self.force != "gaussian":
            return E
        field = GaussianField(self.domain)
        streams = range(SOURCE_STREAM, SOURCE_STREAM + self.domain.dimension)
        forces = [field.standard(shape, seed, indices, stream=s) for s in streams]
        return torch.cat([E, *forces], 1)

    def moduli(self, inputs: Inputs) -> Moduli:
        self.require_channels(inputs)
        E = inputs[:, 0].double()
        if not bool((E > 0).all()):
            raise ValueError(f"Young's modulus E must be positive everywhere, got a minimum of {float(E.min()):g}")
        return torch.einsum("b...,ikjl->bikjl...", E, self._unit_moduli().to(E))[:, :, :, :, :, None]

    @property
    def traction(self) -> tuple[float, ...] | None:
        """sigma n on the high face of the first axis."""
        return (0.0,) * (self.domain.dimension - 1) + (-1.0,) if self.force == "traction" else None

    def forcing(self, inputs: Inputs) -> Field:
        self.require_channels(inputs)
        if self.force == "gaussian":
            return inputs[:, 1:].double()
        f = torch.zeros(
            len(inputs), self.domain.dimension, *inputs.shape[2:], dtype=torch.float64, device=inputs.device
        )
        if self.force == "gravity":
            f[:, -1] = -1
        return f

    def load(self, inputs: Inputs) -> Field:
        load, shape = super().load(inputs), tuple(inputs.shape[2:])
        if self.traction is not None:
            # The elements continue u linearly to the face: 3/2 of the last cell less 1/2 of the one before.
            face = (
                self.traction[-1] * math.prod(Grid(self.domain, shape).spacing[1:]) * self._trace_sums(shape).to(load)
            )
            load[:, -1, -1], load[:, -1, -2] = 1.5 * face, -0.5 * face
        return load

    def _trace_sums(self, shape: tuple[int, ...]) -> Float[Tensor, "*face"]:
        """The integrals over the face of the basis functions of its cells, relative to the face of a cell."""
        out = torch.ones((), dtype=torch.float64)
        for axis, n in enumerate(shape[1:], start=1):
            sums = torch.ones(n, dtype=torch.float64)
            for cell, beside, condition in zip((0, n - 1), (1, n - 2), self.domain.boundary[axis], strict=True):
                # The ghost has weight 1/8 in the outer half cell; by itself the first cell has 7/8.
                if condition == "dirichlet":
                    sums[cell] -= 0.25
                elif condition == "neumann":
                    sums[cell] += 0.125
                    sums[beside] -= 0.125
            out = out[..., None] * sums
        return out

    def _unit_moduli(self) -> Float[Tensor, "d d d d"]:
        """C for E = 1: sigma_ik = C_ikjl du_j / dx_l."""
        nu, one = self.poisson_ratio, torch.eye(self.domain.dimension, dtype=torch.float64)
        volume = torch.einsum("ik,jl->ikjl", one, one)
        shear = torch.einsum("ij,kl->ikjl", one, one) + torch.einsum("il,kj->ikjl", one, one)
        return nu / ((1 + nu) * (1 - 2 * nu)) * volume + shear / (2 * (1 + nu))

    def manufactured(self, shape: tuple[int, ...]) -> tuple[Function, Function, Function]:
        """Smooth E, f and the exact u on a grid, for measuring the order of convergence (2)."""
        points, unit = points_of(Grid(self.domain, shape)), self._unit_moduli()
        u, E = exact_solution(points, self.domain, self.domain.dimension), 1 + 0.5 * wave(points, self.domain)
        f = source_of(u, lambda p: E * torch.einsum("ikjl,jl...->ik...", unit, p), points)
        return E.detach()[None, None], f.detach()[None], u.detach()[None]
