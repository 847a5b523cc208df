"""What becomes of the error on other grids than the one trained on."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from vcycle.analysis.summary import Summary
from vcycle.spaces import L2, Domain, Placement, resample

Inputs = Float[Tensor, "b i *grid"]
Field = Float[Tensor, "b c *grid"]
Predict = Callable[[Inputs], Field]


@dataclass(frozen=True)
class AtResolution:
    """Relative L2 errors on one grid, against the reference solution on that grid.

    network         the network applied on this grid
    interpolated    the network applied on the training grid, its answer carried to this grid
    grid            the reference solution on this grid against that on the finest one: the solver's own error, which
                    no network trained on such solutions can see
    refusal         why the network cannot be applied on this grid
    The last two of the numbers need the same functions on every grid and are None without.
    """

    shape: tuple[int, ...]
    network: Summary | None
    interpolated: Summary | None = None
    grid: Summary | None = None
    refusal: str | None = None

    def to_dict(self) -> dict[str, Any]:
        def plain(summary: Summary | None) -> dict[str, Any] | None:
            return None if summary is None else summary.to_dict()

        return {
            "shape": list(self.shape),
            "network": plain(self.network),
            "interpolated": plain(self.interpolated),
            "grid": plain(self.grid),
            "refusal": self.refusal,
        }


def audit_resolutions(
    predict: Predict,
    sets: Mapping[tuple[int, ...], tuple[Inputs, Field]],
    trained: tuple[int, ...],
    domain: Domain,
    placement: Placement = "cell",
    *,
    same_functions: bool,
) -> tuple[AtResolution, ...]:
    """The network on every grid of `sets` (inputs and reference outputs by shape), coarse to fine.

    With `same_functions` (sample i is one function on every grid), errors of the model, of interpolation and of the
    reference's own grid are told apart.
    """
    norm, rows = L2(domain, placement), []
    shapes = sorted(sets, key=math.prod)
    finest = sets[shapes[-1]][1]
    base = predict(sets[trained][0]) if same_functions and trained in sets else None
    for shape in shapes:
        inputs, reference = sets[shape]
        network, refusal = None, None
        try:
            network = Summary.of(norm.relative(predict(inputs).to(reference), reference))
        except ValueError as error:
            # A grid that the network refuses is a finding of the audit, not the end of it.
            refusal = str(error)
        carried = exact = None
        if base is not None and shape != trained:
            carried = Summary.of(norm.relative(resample(base.to(reference), domain, shape, placement), reference))
        if same_functions and shape != shapes[-1]:
            exact = Summary.of(norm.relative(reference, resample(finest, domain, shape, placement)))
        rows.append(AtResolution(shape, network, carried, exact, refusal))
    return tuple(rows)
