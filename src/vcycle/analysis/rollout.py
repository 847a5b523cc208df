"""A network applied again and again to its own answers: how the error grows, and what stays what it should be."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.analysis.spectrum import Spectrum, error_spectrum
from vcycle.analysis.summary import plain
from vcycle.spaces import L2, Domain, Grid, Placement

States = Float[Tensor, "b s c *grid"]
Rows = Float[Tensor, "b s"]
CORRELATED = 0.8


@dataclass(frozen=True)
class Rollout:
    """Trajectories of a network beside the true ones, a row per sample and a column per instant.

    times         since the last state given
    error         ||v - u|| / ||u|| in L2, infinite where v is no number
    persistence   the same for the answer that nothing changes
    correlation   of v and u over the domain, means removed; of variables that are constant there over the variables,
                  their means over all trajectories and instants removed
    mass          |int v - int u| / int |u|: zero where both conserve the integral
    energy        ||v||^2 / ||u||^2
    spectrum      of the last instant, over the samples whose v are numbers; None where there are none
    lyapunov      the largest Lyapunov exponent, where it was given
    """

    times: tuple[float, ...]
    error: Rows
    persistence: Rows
    correlation: Rows
    mass: Rows
    energy: Rows
    spectrum: Spectrum | None
    lyapunov: float | None = None

    @property
    def correlation_time(self) -> Float[Tensor, " b"]:
        """When the correlation first falls below 0.8, linear in between; infinite where it never does."""
        found = []
        for row in self.correlation.tolist():
            known = [(0.0, 1.0), *zip(self.times, row, strict=True)]
            fall = next((i for i, (_, value) in enumerate(known) if value < CORRELATED), None)
            if fall is None:
                found.append(math.inf)
                continue
            (t0, c0), (t1, c1) = known[fall - 1], known[fall]
            found.append(t0 + (t1 - t0) * (c0 - CORRELATED) / (c0 - c1))
        return torch.tensor(found, dtype=torch.float64)

    @property
    def horizon(self) -> Float[Tensor, " b"] | None:
        """The correlation time in Lyapunov times: lambda t; None where lambda is not known."""
        return None if self.lyapunov is None else self.lyapunov * self.correlation_time

    def instants(self, most: int = 6) -> list[dict[str, float]]:
        """Medians over the samples at up to so many instants, the first and the last among them."""
        last = len(self.times) - 1
        chosen = dict.fromkeys(round(i * last / max(1, most - 1)) for i in range(most))
        names = ("error", "persistence", "correlation", "mass", "energy")
        rows = {name: vars(self)[name].median(0).values.tolist() for name in names}
        return [{"time": self.times[i]} | {name: rows[name][i] for name in names} for i in chosen]

    def to_dict(self) -> dict[str, Any]:
        """Medians over the samples at every instant, and the correlation time of every sample."""
        rows = {name: vars(self)[name] for name in ("error", "persistence", "correlation", "mass", "energy")}
        return {
            "times": list(self.times),
            **{name: plain(row.median(0).values) for name, row in rows.items()},
            "correlation_time": plain(self.correlation_time),
            "lyapunov_exponent": self.lyapunov,
            "lyapunov_horizon": None if self.horizon is None else plain(self.horizon),
            "spectrum": None if self.spectrum is None else self.spectrum.to_dict(),
        }

    def __str__(self) -> str:
        """The error at the first, the middle and the last instant, and the correlation time."""
        last = len(self.times) - 1
        shown = dict.fromkeys((0, last // 2, last))
        errors = ", ".join(f"{float(self.error[:, i].median()):.2%} at t = {self.times[i]:g}" for i in shown)
        time = float(self.correlation_time.median())
        until = f"beyond t = {self.times[-1]:g}" if math.isinf(time) else f"until t = {time:.3g}"
        scaled = "" if self.lyapunov is None or math.isinf(time) else f" ({self.lyapunov * time:.2g} Lyapunov times)"
        still = float(self.persistence[:, last].median())
        return (
            f"applied to its own answers: median error {errors} (nothing changes: {still:.2%} at the end); correlation "
            f"above {CORRELATED} {until}{scaled}"
        )


def measure_rollout(
    predicted: States,
    reference: States,
    initial: Float[Tensor, "b c *grid"],
    times: tuple[float, ...],
    domain: Domain,
    placement: Placement = "cell",
    lyapunov: float | None = None,
) -> Rollout:
    """All measures of `predicted` against `reference`, which follow `initial` at `times`."""
    norm, weights = L2(domain, placement), Grid(domain, tuple(reference.shape[3:]), placement).weights()
    finite = predicted.flatten(2).isfinite().all(2)
    v = torch.where(finite.view(*finite.shape, *[1] * (predicted.ndim - 2)), predicted, 0.0)
    usual = reference.mean((0, 1)) if _constant(reference) else None
    columns: dict[str, list[Tensor]] = {name: [] for name in ("error", "still", "correlation", "mass", "energy")}
    for step in range(len(times)):
        one, true = v[:, step], reference[:, step]
        columns["error"].append(norm.relative(one, true))
        columns["still"].append(norm.relative(initial, true))
        columns["correlation"].append(_correlation(one, true, weights, usual))
        mass = ((one - true) * weights).flatten(2).sum(2).abs().sum(1) / (true.abs() * weights).flatten(1).sum(1)
        columns["mass"].append(mass)
        columns["energy"].append((norm(one) / norm(true)).square())
    rows = {name: torch.stack(column, 1) for name, column in columns.items()}
    for name, worst in (("error", math.inf), ("correlation", 0.0), ("mass", math.inf), ("energy", math.inf)):
        rows[name] = torch.where(finite, rows[name], worst)
    good = finite[:, -1]
    return Rollout(
        times=times,
        error=rows["error"],
        persistence=rows["still"],
        correlation=rows["correlation"],
        mass=rows["mass"],
        energy=rows["energy"],
        spectrum=error_spectrum(v[good, -1], reference[good, -1], domain, placement) if bool(good.any()) else None,
        lyapunov=lyapunov,
    )


def _constant(u: States) -> bool:
    """Whether no field varies over the domain: the variables of a system without space."""
    points = u.flatten(3)
    return bool((points.amax(3) == points.amin(3)).all())


def _correlation(
    v: Float[Tensor, "b c *grid"],
    u: Float[Tensor, "b c *grid"],
    weights: Float[Tensor, "*grid"],
    usual: Float[Tensor, "c *grid"] | None,
) -> Float[Tensor, " b"]:
    """About the mean over the domain, or about what is usual."""
    axes = tuple(range(2, v.ndim))
    share = weights / weights.sum()
    a, b = (f - ((f * share).sum(axes, keepdim=True) if usual is None else usual) for f in (v, u))
    product, square, size = ((p * share).flatten(1).sum(1) for p in (a * b, a * a, b * b))
    return product / (square * size).sqrt().clamp_min(torch.finfo(v.dtype).tiny)
