"""A step runs along trajectories whose fields stand in any order."""

import pytest
import torch

from vcycle.data import Dataset, Fields, Split
from vcycle.data.readers import Memory
from vcycle.data.schema import Description
from vcycle.jobs.pairs_config import OneStepConfig
from vcycle.jobs.rolled import rolled_out
from vcycle.spaces import Domain
from vcycle.surrogate import Surrogate

FACTORS = {"rho": 2.0, "u": 3.0, "k": 1.0}


def trajectories(fields: tuple[str, ...], fixed: tuple[str, ...]) -> Dataset:
    """Every field grows by its factor, from one instant to the next, beside fixed ones."""
    start = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    channels = [(name, 0) for name in fixed] + [(name, i) for i in range(3) for name in fields]
    values = torch.cat([FACTORS[name] ** instant * start for name, instant in channels], 1)
    names = (*fixed, *(f"{name}_{i}" for i in range(3) for name in fields))
    count = len(fixed) + len(fields)
    about = Description(
        "some", Domain.unit(2), "cell", names[:count], names[count:], None, {}, "made up", (0.0, 0.5, 1.0)
    )
    pairs = Fields(values[:, :count], values[:, count:])
    return Dataset(about, {"test": Split("test", Memory(pairs), 0, 3)})


@pytest.mark.parametrize("fields", [("rho", "u"), ("u", "rho")])
@pytest.mark.parametrize("fixed", [(), ("k",)])
def test_fields_stand_in_the_order_of_the_network(fields, fixed):
    def step(x: torch.Tensor) -> torch.Tensor:
        return x[:, -2:] * torch.tensor([FACTORS["rho"], FACTORS["u"]], dtype=x.dtype)[:, None, None]

    run = Surrogate(step, Domain.unit(2), (*fixed, "rho_0", "u_0"), ("rho_1", "u_1"))
    found = rolled_out(run, OneStepConfig(), trajectories(fields, fixed), "test", None, None)
    assert float(found.error.max()) < 1e-12
