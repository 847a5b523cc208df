"""A trained network with all that is needed to use it: domain, names, problem, and the bounds that belong to it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.hybrid import (
    Corrected,
    Form,
    Marched,
    Window,
    march,
    solve_to_tolerance,
    solved,
    verified_by_residual,
)
from vcycle.hybrid import Kind as Verdict
from vcycle.problems import Diffusion, Problem, Stationary
from vcycle.spaces import Domain, Placement, finite, moved, per_sample
from vcycle.surrogate.calibration import Answer, Calibrated, Calibration
from vcycle.surrogate.ensemble import Ensemble
from vcycle.surrogate.guarantee import Measure, guarantee
from vcycle.surrogate.in_time import can_march, windows_of

Values = Float[Tensor, "..."] | np.ndarray
Kind = Literal["guaranteed", "calibrated", "none"]


@dataclass(frozen=True)
class Prediction:
    """What a surrogate answers.

    value      (b, c, *grid) the network's output, double precision
    kind       'guaranteed': bound >= energy error, by a theorem; 'calibrated': no theorem speaks of this one input,
               `calibrated` of a share of all inputs; 'none': nothing is claimed
    form       what the bound is the distance to: the 'discrete' solution, or the solution of the PDE ('continuum')
    bound      (b,) of the error by `measure`; infinite where `value` is not finite
    relative   (b,) bound of the error relative to the solution's own size, its distance from rest
    field      what the bound speaks of: `value`, or in the continuum form its vertex values
    calibrated bounds in L2, in H1 and at every point from held-out samples; None without a calibration on this grid
    measure    'energy norm'; 'gradient norm' of the velocity for Stokes flow; 'energy distance' (2 (E(v) - E(u)))^(1/2)
               for the minima u of convex energies (p-Laplacian, minimal surfaces, semilinear equations)
    form, bound, relative, field and measure are None unless guaranteed.
    """

    value: Float[Tensor, "b c *grid"]
    kind: Kind
    form: Form | None = None
    bound: Float[Tensor, " b"] | None = None
    relative: Float[Tensor, " b"] | None = None
    field: Float[Tensor, "b _ *points"] | None = None
    calibrated: Calibrated | None = None
    measure: Measure | None = None


@dataclass(frozen=True)
class Surrogate:
    """The learned solution operator: inputs in, solutions out, in physical units.

    `network` maps (b, c_in, *grid) to (b, c_out, *grid); any module or function will do. `problem` is None for data
    whose equation is not known: predictions then carry no guaranteed bound, and there is nothing to solve.

    Everything is computed where the network is (`to`), and answered where the inputs are: arrays are on the processor.
    """

    network: Callable[[Tensor], Tensor]
    domain: Domain
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    placement: Placement = "cell"
    problem: Problem | None = None
    calibration: Calibration | None = None

    def to(self, device: torch.device | str) -> "Surrogate":
        """The same with its network on the device; a function without parameters computes wherever its inputs are."""
        network = self.network.to(device) if isinstance(self.network, nn.Module) else self.network
        return replace(self, network=network)

    @torch.no_grad()
    def apply(self, inputs: Values, batch: int = 16) -> Float[Tensor, "b c *grid"]:
        """The network's output alone, `batch` samples at a time."""
        return self.answer(inputs, batch).value

    @torch.no_grad()
    def answer(self, inputs: Values, batch: int = 16) -> Answer:
        """Inputs and the network's output; with the spread of an ensemble."""
        x = self.as_inputs(inputs)
        dtype, device = _home(self.network, x)
        network, parts = self.network, [part.to(device, dtype) for part in x.split(batch)]
        if not isinstance(network, Ensemble):
            return Answer(x, torch.cat([network(part).to(x) for part in parts]))
        value, spread = (torch.cat(both) for both in zip(*(network.moments(part) for part in parts), strict=True))
        return Answer(x, value.to(x), spread.to(x))

    @torch.no_grad()
    def predict(self, inputs: Values, *, form: Form = "discrete", tighten: int = 0, batch: int = 16) -> Prediction:
        """The network's output with a guaranteed bound of its error where the problem has one, and calibrated ones
        where samples were held out for them.

        `form` and `tighten` as in `hybrid.energy_bound`; tensors, displacements and flows have the continuum form, the
        latter two nothing to tighten; minima of convex energies have the discrete form (hybrid.duality_gap).
        """
        x = self.as_inputs(inputs)
        answer = self.answer(self.at_home(x), batch)
        prediction = moved(self._bounded(answer.inputs, answer.value, form, tighten), x.device)
        calibration = self.calibration
        if calibration is None or calibration.resolution != tuple(x.shape[2:]):
            return prediction
        kind = "calibrated" if prediction.kind == "none" else prediction.kind
        calibrated = calibration(moved(answer, "cpu"), self.domain, self.placement)
        return replace(prediction, kind=kind, calibrated=moved(calibrated, x.device))

    def _bounded(
        self, x: Float[Tensor, "b i *grid"], value: Float[Tensor, "b c *grid"], form: Form, tighten: int
    ) -> Prediction:
        """With the guaranteed bound where the problem has one."""
        fine = finite(value)
        v = torch.where(per_sample(fine, value), value, 0.0)
        given = guarantee(self.problem, x, v, form, tighten)
        if given is None:
            return Prediction(value, "none")
        bound, relative = (torch.where(fine, numbers, torch.inf) for numbers in (given.bound, given.relative))
        return Prediction(value, "guaranteed", given.form, bound, relative, given.field, measure=given.measure)

    def solve(self, inputs: Values, tolerance: float = 1e-8, *, propose: bool = True) -> Corrected:
        """The discrete solution to a tolerance, the network proposing the start of the iteration.

        Of the relative energy error, verified by the guaranteed bound, for diffusion; of the relative residual for the
        other problems in which time plays no part. Whatever the network proposes can only make it slower.
        `propose=False` starts without it, for comparison. Raises ValueError where no equation is known, or time runs.
        """
        problem, given = self._equation(), self.as_inputs(inputs)
        x = self.at_home(given)
        if not isinstance(problem, Diffusion | Stationary):
            windows = can_march(problem, tuple(x.shape[2:]))
            raise ValueError(
                f"{problem.title} runs in time, where no start of an iteration is looked for: use "
                + ("march, that is --steps, to go window by window, " if windows else "")
                + "predict for the network's answer, or the problem's own solve"
            )
        proposal = self.apply(x) if propose else None
        if isinstance(problem, Stationary):
            solution = problem.solve(x, tolerance, start=proposal)
            residual = problem.residual(x, solution.value)
            return moved(verified_by_residual(solution, residual, tolerance), given.device)
        a, f = problem.fields(x)
        c = problem.reaction(x)
        corrected = solve_to_tolerance(proposal, a, f, self.domain, reaction=c, tolerance=tolerance)
        return moved(corrected, given.device)

    def march(self, inputs: Values, windows: int, tolerance: float = 1e-2) -> Marched:
        """The states of so many windows, one after the other, each with a relative L2 error of at most `tolerance`.

        A window is what the network answers at once. It is the network's where its error is judged small enough, else
        the reference solver's (hybrid.march): by a guaranteed bound for implicit steps of the heat equation, by
        hybrid.MildDefect for evolutions with a known rate of growth.
        Raises ValueError where no equation is known, or no judge.
        """
        window, kind, x = self._windows(inputs)
        return moved(march(window, self.at_home(x), windows, tolerance, kind), x.device)

    def reference(self, inputs: Values, windows: int) -> Float[Tensor, "b w c *grid"]:
        """The same states by the reference solver alone, those of a window one after the other in the channels."""
        window, _, x = self._windows(inputs)
        return solved(window, self.at_home(x), windows).to(x.device)

    def _windows(self, inputs: Values) -> tuple[Window, Verdict, Float[Tensor, "b c *grid"]]:
        x = self.as_inputs(inputs)
        return *windows_of(self._equation(), tuple(x.shape[2:]), self.apply, _home(self.network, x)[1]), x

    def at_home(self, x: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        """x on the device that everything is computed on."""
        return x.to(_home(self.network, x)[1])

    def _equation(self) -> Problem:
        if self.problem is None:
            raise ValueError("nothing can be solved: this surrogate was trained on data without an equation")
        return self.problem

    def as_inputs(self, inputs: Values) -> Float[Tensor, "b c *grid"]:
        """(*grid), (b, *grid), (c, *grid) or (b, c, *grid) as a double precision batch, or one sentence why not."""
        x = torch.as_tensor(np.asarray(inputs) if isinstance(inputs, np.ndarray) else inputs).double()
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
        if x.shape[0] < 1 or min(x.shape[2:]) < 2:
            grid = " x ".join(map(str, x.shape[2:]))
            raise ValueError(
                f"inputs of shape {shape} are {x.shape[0]} samples at {grid}: give one or more, with 2 points or more "
                "along every axis"
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


def _home(network: Callable[[Tensor], Tensor], x: Tensor) -> tuple[torch.dtype, torch.device]:
    """Where the network's numbers live; those of the inputs for a function without parameters."""
    parameter = next(network.parameters(), None) if isinstance(network, nn.Module) else None
    return (x.dtype, x.device) if parameter is None else (parameter.dtype, parameter.device)
