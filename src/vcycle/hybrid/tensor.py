"""The PDE with a tensor, -div(A grad u) + c u = f: exact misfits, and fluxes improved in the complementary energy."""

import math
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.continuum import Multilinear
from vcycle.hybrid.equation import Field, Function, PerSample
from vcycle.hybrid.equilibration import dual_norm, equilibrate
from vcycle.hybrid.flow import Flow, conductances_of, differences, excess
from vcycle.hybrid.reconstruction import Vertices, cell_means, flow_modes, slope_modes
from vcycle.hybrid.tighten import NEGLIGIBLE
from vcycle.operators import FiniteVolume, geometric_multigrid
from vcycle.spaces import Domain, Grid, conductances, per_sample

Tensors = Float[Tensor, "b d d *grid"]


@dataclass(frozen=True)
class Anisotropic(Multilinear):
    """-div(A grad u) + c u = f with A symmetric and positive definite, constant on cells; `a` is the trace of A / d.

    A flow starts with the harmonic means of A_ii across faces for the slope along i and with averages of A_ij for the
    others. Each of the `cycles` then lowers ||A^(-1/2)(q - A grad w)|| among the flows in equilibrium, by conjugate
    gradients preconditioned with a V-cycle for the diagonal of A.
    """

    moduli: Tensors = field(kw_only=True)

    @cached_property
    def operator(self) -> FiniteVolume:
        """That of the diagonal of A."""
        faces = tuple(conductances(self.moduli[:, i, i][:, None], self.domain)[i] for i in range(self.domain.dimension))
        reaction = None if self.c is None else self.volume * self.c
        return FiniteVolume(faces, self.domain, reaction)

    def flow(self, v: Field, load: Field, cycles: int) -> Flow:
        w = self.function(v)
        q = equilibrate(self._first_flow(v, w), load, self.domain, self._absorption)
        if cycles == 0:
            return q
        cycle, none, zero = geometric_multigrid(self.operator), torch.zeros_like(load), torch.zeros_like(w)
        directions: list[tuple[Flow, Flow, PerSample]] = []
        for _ in range(cycles):
            slope = self._slope(q, w)
            d = equilibrate(self._downhill(slope, cycle), none, self.domain, self._absorption)
            for other, curve, size in directions:
                d = _add(d, other, -_product(curve, d) / _guard(size))
            curve = self._slope(d, zero)
            # A direction this short gains nothing, and rounding may have brought it out of equilibrium.
            counts = _product(curve, d) > NEGLIGIBLE**2 * self.misfit(q, w).flatten(1).sum(1)
            d, curve = (_add(t, t, counts.to(v) - 1) for t in (d, curve))
            size = _product(curve, d)
            directions.append((d, curve, size))
            q = _add(q, d, torch.where(size > 0, -_product(slope, d) / _guard(size), 0.0))
        return q

    def imbalance(self, q: Flow, load: Field) -> PerSample:
        rest = excess(tuple(t.detach() for t in q), load, self.domain)
        least = torch.linalg.eigvalsh(self.moduli.movedim((1, 2), (-2, -1)))[..., 0]
        return dual_norm(rest, (1 - 1e-9) * least[:, None], self.c, self.domain)

    @cached_property
    def _factor(self) -> Tensors:
        """L^-1 with A = L L^T, so that r A^-1 r = |L^-1 r|^2."""
        L = torch.linalg.cholesky(self.moduli.movedim((1, 2), (-2, -1)))
        unit = torch.eye(L.shape[-1], dtype=L.dtype, device=L.device).expand(L.shape)
        return torch.linalg.solve_triangular(L, unit, upper=False).movedim((-2, -1), (1, 2))

    @property
    def _poincare(self) -> Field:
        """||z - mean z||^2 <= sum_i (h_i / pi)^2 ||dz/dx_i||^2 <= ||A^(1/2) grad z||^2 / (pi^2 lambda).

        lambda is the smallest eigenvalue of A_ij / (h_i h_j).
        """
        h = torch.tensor(Grid(self.domain, tuple(self.a.shape[2:])).spacing, dtype=self.a.dtype, device=self.a.device)
        scaled = self.moduli.movedim((1, 2), (-2, -1)) / h[:, None] / h
        return 1 / math.pi / ((1 - 1e-9) * torch.linalg.eigvalsh(scaled)[..., 0][:, None]).sqrt()

    def _gradient_misfit(self, q: Flow, w: Function) -> Field:
        total = torch.zeros_like(self.a)
        for mode, rest in self._rest(q, w).items():
            root = torch.einsum("bij...,bj...->bi...", self._factor, rest)
            total = total + 12.0 ** -len(mode) * root.square().sum(1, keepdim=True)
        return self.volume * total

    def _rest(self, q: Flow, w: Vertices) -> dict[tuple[int, ...], Float[Tensor, "b d *grid"]]:
        """q - A grad w on every cell by Legendre modes (the axes along which they are odd)."""
        d, spacing = self.domain.dimension, Grid(self.domain, tuple(self.a.shape[2:])).spacing
        slopes = [slope_modes(w, axis, h, d) for axis, h in enumerate(spacing)]
        flows = [flow_modes(q[axis], axis, self.volume / h, self.domain) for axis, h in enumerate(spacing)]
        out = {}
        for mode in {mode for modes in (*slopes, *flows) for mode in modes}:
            rows = []
            for i in range(d):
                row = flows[i].get(mode, torch.zeros_like(self.a))
                for j in range(d):
                    if mode in slopes[j]:
                        row = row - self.moduli[:, i, j][:, None] * slopes[j][mode]
                rows.append(row)
            out[mode] = torch.cat(rows, 1)
        return out

    def _first_flow(self, v: Field, w: Function) -> Flow:
        k, spacing = self.operator.faces, Grid(self.domain, tuple(v.shape[2:])).spacing
        d, out = self.domain.dimension, []
        slopes = [slope_modes(w, axis, h, d)[()] for axis, h in enumerate(spacing)]
        for i, (normal, step) in enumerate(zip(k, differences(v, self.operator), strict=False)):
            across = torch.zeros_like(v)
            for j in range(d):
                if j != i:
                    across = across + self.moduli[:, i, j][:, None] * slopes[j]
            flow = normal * step + (normal > 0) * _at_faces(across, i, self.domain) * self.volume / spacing[i] / 2
            out.append(flow)
        return tuple(out) if self.c is None else (*out, self.volume * self.c * cell_means(w))

    def _slope(self, q: Flow, w: Function) -> Flow:
        """Half the derivative of the misfit with respect to every entry of the flow."""
        rest, out = self._rest(q, w), []
        for i, h in enumerate(Grid(self.domain, tuple(self.a.shape[2:])).spacing):
            inverse = torch.einsum("bki...,bkj...->bij...", self._factor, self._factor)
            mean, odd = (torch.einsum("bj...,bj...->b...", inverse[:, i], rest[m])[:, None] for m in ((), (i,)))
            out.append(h / 2 * _at_faces(mean, i, self.domain, odd / 6))
        if self.c is None:
            return tuple(out)
        reacts = self.c > 0
        missing = q[-1] / self.volume / torch.where(reacts, self.c, 1.0) - cell_means(w)
        return (*out, torch.where(reacts, missing, 0.0))

    def _downhill(self, slope: Flow, cycle: torch.nn.Module) -> Flow:
        """-K (slope - differences(phi)), with phi from a V-cycle so that almost nothing flows out of cells."""
        A, k = self.operator, conductances_of(self.operator)
        phi = cycle(-excess(tuple(c * s for c, s in zip(k, slope, strict=True)), torch.zeros_like(self.a), self.domain))
        return tuple(c * (p - s) for c, p, s in zip(k, differences(phi, A), slope, strict=True))


def _at_faces(mean: Field, axis: int, domain: Domain, odd: Field | None = None) -> Tensor:
    """Sums over the cells beside every face of an axis of mean + odd (below the face) and mean - odd (above it)."""
    dim = axis - domain.dimension
    below, above = (mean, mean) if odd is None else (mean + odd, mean - odd)
    if domain.periodic(axis):
        return above + below.roll(1, dim)
    pad = torch.zeros_like(mean.narrow(dim, 0, 1))
    total = torch.cat([above, pad], dim) + torch.cat([pad, below], dim)
    return total


def _product(s: Flow, t: Flow) -> PerSample:
    return torch.stack([(one * other).flatten(1).sum(1) for one, other in zip(s, t, strict=True)]).sum(0)


def _add(s: Flow, d: Flow, factor: PerSample) -> Flow:
    return tuple(one + per_sample(factor, one) * other for one, other in zip(s, d, strict=True))


def _guard(x: PerSample) -> PerSample:
    return torch.where(x > 0, x, 1.0)
