"""Chaotic dynamical systems of the dysts collection: the state now to the state later, with what is known of them."""

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.integrate import solve_ivp

from vcycle.data.dataset import Dataset
from vcycle.data.progress import progress_bar
from vcycle.data.readers import Memory, Split
from vcycle.data.schema import DataError, Description, Fields, suggestion
from vcycle.data.splits import counts
from vcycle.spaces import Domain, generator

TOLERANCE, AGREEMENT = 1e-13, 1e-6
WARMUP_PERIODS, SPREAD = 5.0, 0.1
POINTS = 2  # of the grid on which a state is constant; grids have no fewer


@dataclass(frozen=True)
class Invariants:
    """As the collection states them, estimated from long trajectories; None where it has none."""

    largest_lyapunov_exponent: float | None
    lyapunov_spectrum: tuple[float, ...] | None
    kaplan_yorke_dimension: float | None
    correlation_dimension: float | None


@dataclass(frozen=True)
class DynamicalSystem:
    """x_t = f(x, t) in `dimension` variables, with the parameters, the period and the start of the collection.

    Source: Gilpin, NeurIPS Datasets and Benchmarks 2021. See `dynamical_system`.
    """

    name: str
    flow: Any

    @property
    def start(self) -> Float[np.ndarray, " d"]:
        """A state on the attractor."""
        return np.asarray(self.flow.ic, dtype=np.float64)

    @property
    def dimension(self) -> int:
        return len(self.start)

    @property
    def period(self) -> float:
        """That of the strongest frequency."""
        return float(self.flow.period)

    @property
    def invariants(self) -> Invariants:
        """Exponents per unit of time."""
        about = vars(self.flow)
        spectrum = about.get("lyapunov_spectrum_estimated")
        return Invariants(
            about.get("maximum_lyapunov_estimated"),
            tuple(spectrum) if spectrum else None,
            about.get("kaplan_yorke_dimension"),
            about.get("correlation_dimension"),
        )

    def rhs(self, x: Float[np.ndarray, " d"], t: float) -> Float[np.ndarray, " d"]:
        """f(x, t)."""
        return np.asarray(self.flow.rhs(x, t), dtype=np.float64)

    def states(
        self, start: Float[np.ndarray, " d"], times: Float[np.ndarray, " t"], method: str = "DOP853"
    ) -> Float[np.ndarray, "t d"]:
        """x at the times, by a method of scipy.integrate.solve_ivp with relative errors of 1e-13 per step."""
        size = float(np.abs(start).max()) or 1.0
        found = solve_ivp(
            lambda t, x: self.rhs(x, t),
            (0.0, float(times[-1])),
            start,
            method=method,
            t_eval=times,
            rtol=TOLERANCE,
            atol=TOLERANCE * size,
        )
        if not found.success:
            raise DataError(f"{self.name} could not be integrated from {start.tolist()}: {found.message}")
        return found.y.T


def dynamical_system(name: str, parameters: Mapping[str, float] | None = None) -> DynamicalSystem:
    """A flow of the collection by its name, such as 'Lorenz', with its own parameters or others.

    Raises DataError for a name or a parameter that does not exist, for delay equations and maps, and without dysts.
    """
    if find_spec("dysts") is None:
        raise DataError("dynamical systems are those of dysts: pip install 'vcycle[chaos]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it misses an optional compiler
        flows, base = importlib.import_module("dysts.flows"), importlib.import_module("dysts.base")
    known = {key: kind for key, kind in vars(flows).items() if isinstance(kind, type)}
    known = {key: kind for key, kind in known.items() if issubclass(kind, base.DynSys) and kind is not base.DynSys}
    if name not in known:
        raise DataError(f"{name!r} is no flow of dysts{suggestion(name, tuple(known))}: it has {len(known)} flows")
    own = known[name]().params
    for key in parameters or {}:
        if key not in own:
            raise DataError(f"{name} has no parameter {key!r}: it has {', '.join(own)}")
    return DynamicalSystem(name, known[name](parameters={**own, **(parameters or {})}))


def read_trajectories(
    system: DynamicalSystem,
    samples: int,
    seed: int,
    *,
    states: int = 2,
    per_period: float = 10.0,
    splits: Mapping[str, int | float] | None = None,
    progress: bool = False,
) -> Dataset:
    """Trajectories of `states` states, period / per_period apart: the first is the input, all later ones the output.

    Trajectory i starts from the collection's state, moved by a tenth of its size at random (seed, i), and runs for five
    periods before its first state is taken. The equations have no space: variables are constant functions on two cells.
    Every trajectory is computed by two methods, and refused where they differ by more than 1e-6 of its size: errors of
    chaotic systems grow by a factor of e per 1 / lambda. The invariants stand in the description's source.

    Raises DataError.
    """
    interval, out = system.period / per_period, []
    first = WARMUP_PERIODS * system.period
    times = interval * np.arange(states)
    with progress_bar(system.name, samples, 0, progress) as advance:
        for index in range(samples):
            shift = SPREAD * np.abs(system.start).max() * generator(seed, index).standard_normal(system.dimension)
            begin = system.states(system.start + shift, np.array([first]))[-1]
            x, again = (system.states(begin, times, method) for method in ("DOP853", "LSODA"))
            difference = float(np.abs(x - again).max() / np.abs(x).max())
            if not difference < AGREEMENT:
                raise DataError(
                    f"trajectory {index} of {system.name} differs by {difference:.1e} between two methods (limit "
                    f"{AGREEMENT:.0e}): ask for fewer states or more per period"
                )
            out.append(x)
            advance(1)
    values = torch.from_numpy(np.stack(out)).flatten(1)[..., None].expand(-1, -1, POINTS).contiguous()
    names = tuple(f"x{k + 1}_{i}" for i in range(states) for k in range(system.dimension))
    about = Description(
        name=system.name.lower(),
        domain=Domain.unit(1, "periodic"),
        placement="cell",
        input_names=names[: system.dimension],
        output_names=names[system.dimension :],
        problem=None,
        units={},
        source=f"dysts {system.name} with {system.flow.params}; {system.invariants}",
        times=tuple(float(interval * i) for i in range(states)),
    )
    reader, cut, start = Memory(Fields(values[:, : system.dimension], values[:, system.dimension :])), {}, 0
    for name, size in counts(samples, splits).items():
        cut[name] = Split(name, reader, start, start + size)
        start += size
    return Dataset(about, cut)
