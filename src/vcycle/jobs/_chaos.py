"""`vcycle chaos`: trajectories of chaotic systems, with what is known of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vcycle.data import Dataset
from vcycle.data.dynamics import DynamicalSystem, dynamical_system, read_trajectories
from vcycle.data.store import require_free, store
from vcycle.jobs.chaos_config import ChaosConfig
from vcycle.jobs.configure import resolve


@dataclass(frozen=True)
class Chaos:
    """Stored trajectories of a system."""

    system: DynamicalSystem
    data: Dataset
    folder: Path

    def __str__(self) -> str:
        """How many there are, and the invariants that errors are to be measured by."""
        known, splits = self.system.invariants, ", ".join(f"{name} {len(s)}" for name, s in self.data.splits.items())
        exponent, dimension = known.largest_lyapunov_exponent, known.kaplan_yorke_dimension
        said = [f"{self.system.name}: {self.system.dimension} variables", f"period {self.system.period:.4g}"]
        if exponent is not None:
            said.append(f"largest Lyapunov exponent {exponent:.4g} (evaluate --lyapunov {exponent:.4g})")
        if dimension is not None:
            said.append(f"Kaplan-Yorke dimension {dimension:.4g}")
        return f"{', '.join(said)}\n{self.folder}: trajectories {splits}; train on steps with --pairs one_step"


def chaos(system: str, out: str | Path, **options: Any) -> Chaos:
    """Trajectories of a system of the dysts collection, stored like generated data; options as on the command line.

    chaos("Lorenz", "data/lorenz", samples=200, states=50). Each is computed by two methods and refused where they
    differ by more than 1e-6 (data.dynamics). Raises DataError without dysts (pip install 'vcycle[chaos]'), for names
    and parameters that it does not know, and for a folder that holds data.
    """
    config = resolve(ChaosConfig, {"system": system, "out": str(out), **options})
    folder = Path(config.out)
    require_free(folder)
    found = dynamical_system(config.system, config.parameters)
    data = read_trajectories(
        found,
        config.samples,
        config.seed,
        states=config.states,
        per_period=config.per_period,
        splits=config.splits,
        progress=True,
    )
    return Chaos(found, store(data, folder), folder)
