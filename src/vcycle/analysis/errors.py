"""Relative errors per sample: in L2, in H1, in the problem's energy norm, and near the boundary."""

from dataclasses import dataclass, fields
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.analysis.summary import Summary, plain
from vcycle.spaces import H1, L2, Domain, Grid, Norm, Placement

Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]

STRIP = 1 / 16


@dataclass(frozen=True)
class Errors:
    """||u - u_ref|| / ||u_ref|| of every sample.

    l2, h1          on the whole domain
    energy          in the problem's energy norm; None without a problem
    boundary        in L2 on the strip along the non-periodic faces, relative to u_ref on that strip
    interior        in L2 on the rest, relative to u_ref there; both None where the domain is periodic all round
    """

    l2: PerSample
    h1: PerSample
    energy: PerSample | None = None
    boundary: PerSample | None = None
    interior: PerSample | None = None

    def measured(self) -> dict[str, PerSample]:
        """Those that exist, by name."""
        values = {field.name: self.__dict__[field.name] for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def summaries(self) -> dict[str, Summary]:
        return {name: Summary.of(values) for name, values in self.measured().items()}

    def to_dict(self) -> dict[str, Any]:
        """{"summary": {norm: {...}}, "values": {norm: [one number per sample]}}, as fractions of 1."""
        return {
            "summary": {name: summary.to_dict() for name, summary in self.summaries().items()},
            "values": {name: plain(values) for name, values in self.measured().items()},
        }


def measure_errors(
    prediction: Field, reference: Field, domain: Domain, placement: Placement = "cell", energy: Norm | None = None
) -> Errors:
    """All relative errors of a batch, in the precision of the reference.

    Raises ValueError where a reference vanishes: no error is relative to zero.
    """
    prediction = prediction.to(reference)
    size = L2(domain, placement)(reference)
    if (size == 0).any():
        zero = (size == 0).nonzero().flatten().tolist()
        raise ValueError(f"the reference of sample {zero[0]} is zero, so no error is relative to it: leave it out")
    strip = boundary_strip(domain, tuple(reference.shape[2:]), placement).to(reference.device)
    split = bool(strip.any()) and not bool(strip.all())
    return Errors(
        l2=L2(domain, placement).relative(prediction, reference),
        h1=H1(domain, placement).relative(prediction, reference),
        energy=None if energy is None else energy.relative(prediction, reference),
        boundary=_on(strip, prediction, reference, domain, placement) if split else None,
        interior=_on(~strip, prediction, reference, domain, placement) if split else None,
    )


def boundary_strip(domain: Domain, shape: tuple[int, ...], placement: Placement = "cell") -> Bool[Tensor, "*grid"]:
    """The points within 1/16 of the domain's length (and at least one layer inside) of a non-periodic face.

    >>> boundary_strip(Domain.unit(1), (6,))
    tensor([ True, False, False, False, False,  True])
    """
    grid = Grid(domain, shape, placement)
    inside = torch.zeros(shape, dtype=torch.bool)
    for axis, points in enumerate(grid.mesh()):
        if domain.periodic(axis):
            continue
        low, high = domain.extents[axis]
        # Half a cell, or one vertex beyond the one on the face, is always part of the strip.
        layer = grid.spacing[axis] * (0.5 if placement == "cell" else 1.0)
        depth = max(STRIP * (high - low), layer) * (1 + 1e-9)
        inside |= torch.minimum(points - low, high - points) <= depth
    return inside


def _on(
    part: Bool[Tensor, "*grid"], prediction: Field, reference: Field, domain: Domain, placement: Placement
) -> PerSample:
    return L2(domain, placement).relative(prediction * part, reference * part)
