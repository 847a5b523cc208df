"""A trained network with all that is needed to use it: domain, names, problem, and the bounds that belong to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.hybrid import Corrected, Form, energy_bound, solve_to_tolerance
from vcycle.problems import Diffusion, Problem
from vcycle.spaces import Domain, Placement

Values = Float[Tensor, "..."] | np.ndarray
Kind = Literal["guaranteed", "none"]


@dataclass(frozen=True)
class Prediction:
    """What a surrogate answers.

    value      (b, c, *grid) the network's output, double precision
    kind       'guaranteed': bound >= energy error, by a theorem; 'none': nothing is claimed
    form       what the bound is the distance to: the 'discrete' solution, or the solution of the PDE ('continuum')
    bound      (b,) in the energy norm ||a^(1/2) grad(.)||, infinite where `value` is not finite; None for kind 'none'
    relative   (b,) bound of the error relative to the solution's own energy norm; None for kind 'none'
    field      what the bound speaks of: `value`, or in the continuum form its vertex values; None for kind 'none'
    """

    value: Float[Tensor, "b c *grid"]
    kind: Kind
    form: Form | None = None
    bound: Float[Tensor, " b"] | None = None
    relative: Float[Tensor, " b"] | None = None
    field: Float[Tensor, "b c *points"] | None = None


@dataclass(frozen=True)
class Surrogate:
    """The learned solution operator: inputs in, solutions out, in physical units.

    `network` maps (b, c_in, *grid) to (b, c_out, *grid); any module or function will do. `problem` is None for data
    whose equation is not known: predictions then carry no bound, and there is nothing to solve.
    """

    network: Callable[[Tensor], Tensor]
    domain: Domain
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    placement: Placement = "cell"
    problem: Problem | None = None

    @torch.no_grad()
    def apply(self, inputs: Values, batch: int = 16) -> Float[Tensor, "b c *grid"]:
        """The network's output alone, `batch` samples at a time."""
        x = self.as_inputs(inputs)
        dtype, device = _home(self.network)
        outputs = [self.network(part.to(device, dtype)).to("cpu", torch.float64) for part in x.split(batch)]
        return torch.cat(outputs)

    @torch.no_grad()
    def predict(self, inputs: Values, *, form: Form = "discrete", tighten: int = 0, batch: int = 16) -> Prediction:
        """The network's output with a guaranteed bound of its error where the problem has one.

        `form` and `tighten` as in `hybrid.energy_bound`.
        """
        x = self.as_inputs(inputs)
        value = self.apply(x, batch)
        if not isinstance(self.problem, Diffusion):
            return Prediction(value, "none")
        a, f = self.problem.fields(x)
        finite = torch.isfinite(value).flatten(1).all(1)
        v = torch.where(finite.view(-1, *[1] * (value.ndim - 1)), value, 0.0)
        result = energy_bound(v, a, f, self.domain, form=form, tighten=tighten)
        bound, relative = (torch.where(finite, numbers, torch.inf) for numbers in (result.value, result.relative))
        return Prediction(value, "guaranteed", form, bound, relative, result.field)

    def solve(self, inputs: Values, tolerance: float = 1e-8, *, propose: bool = True) -> Corrected:
        """The discrete solution to a verified relative energy error, the network proposing the start of the iteration.

        `propose=False` starts from zero, for comparison. Raises ValueError where no equation with a bound is known.
        """
        if self.problem is None:
            raise ValueError("nothing can be solved: this surrogate was trained on data without an equation")
        if not isinstance(self.problem, Diffusion):
            raise ValueError(
                f"no bound is known for {self.problem.title}, so no solution to a verified tolerance: use predict for "
                "the network's answer, or the problem's own solve for the reference solution"
            )
        x = self.as_inputs(inputs)
        a, f = self.problem.fields(x)
        return solve_to_tolerance(self.apply(x) if propose else None, a, f, self.domain, tolerance=tolerance)

    def as_inputs(self, inputs: Values) -> Float[Tensor, "b c *grid"]:
        """(*grid), (b, *grid), (c, *grid) or (b, c, *grid) as a double precision batch, or one sentence why not."""
        x = torch.as_tensor(np.asarray(inputs) if isinstance(inputs, np.ndarray) else inputs).to("cpu", torch.float64)
        d, channels = self.domain.dimension, len(self.input_names)
        shape = tuple(x.shape)
        if x.ndim == d and channels == 1:
            x = x[None, None]
        elif x.ndim == d + 1:
            x = x[None] if shape[0] == channels and channels > 1 else x[:, None]
        if x.ndim != d + 2 or x.shape[1] != channels:
            raise ValueError(
                f"inputs must have shape (batch, {channels}, *grid) with channels {', '.join(self.input_names)} and "
                f"{d} grid axes, got {shape}"
            )
        if not bool(torch.isfinite(x).all()):
            raise ValueError(f"the inputs hold {int((~torch.isfinite(x)).sum())} NaN or infinite values: remove them")
        return x

    def describe(self) -> dict[str, Any]:
        """All but the network, as plain data."""
        return {
            "input_names": list(self.input_names),
            "output_names": list(self.output_names),
            "domain": self.domain.to_dict(),
            "placement": self.placement,
            "problem": None if self.problem is None else self.problem.to_dict(),
        }


def _home(network: Callable[[Tensor], Tensor]) -> tuple[torch.dtype, torch.device]:
    """Where the network's numbers live; double precision on the CPU for a function without parameters."""
    parameter = next(network.parameters(), None) if isinstance(network, nn.Module) else None
    if parameter is None:
        return torch.float64, torch.device("cpu")
    return parameter.dtype, parameter.device
