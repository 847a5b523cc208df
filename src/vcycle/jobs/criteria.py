"""What a run minimises and what it watches: the losses by name, and validation metrics."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.jobs.equation_losses import EQUATION_LOSSES
from vcycle.jobs.tasks import Task
from vcycle.problems import Diffusion
from vcycle.training import Batch, Loss, energy, h1, l2
from vcycle.training.processes import Processes

Field = Float[Tensor, "b c *grid"]


def loss_named(name: str, task: Task) -> Loss:
    """The loss of this name for a task."""
    if name == "l2":
        return l2(task.domain, task.placement)
    if name == "h1":
        return h1(task.domain, task.placement)
    if task.problem is None or task.placement != "cell":
        lacking = "the equation" if task.problem is None else "cell values"
        raise ValueError(f"loss {name} needs {lacking}, which these data lack: give --problem, or use loss h1 or l2")
    if not isinstance(task.problem, Diffusion):
        raise ValueError(f"loss {name} needs an energy norm, which {task.problem.title} lacks: use loss h1 or l2")
    return energy(task.problem.energy_norm) if name == "energy" else EQUATION_LOSSES[name](task.problem)


def validation(task: Task, loss: Loss, batch: int, world: Processes) -> Callable[[nn.Module], dict[str, float]]:
    """Mean loss and mean relative L2 and H1 errors on the validation pairs, computed in double precision.

    Every process looks at its share of the pairs.
    """
    metrics = {"l2": l2(task.domain, task.placement), "h1": h1(task.domain, task.placement)}
    count = len(task.validation.inputs)
    mine = world.share(count)
    pairs = zip(task.validation.inputs[mine].split(batch), task.validation.outputs[mine].split(batch), strict=True)
    batches = [Batch(inputs.double(), outputs.double()) for inputs, outputs in pairs]

    def measured(network: nn.Module) -> dict[str, Tensor]:
        weight = next(network.parameters())
        found: dict[str, list[Tensor]] = {"loss": [], **{name: [] for name in metrics}}
        for part in batches:
            exact = part.to(weight.device, torch.float64)
            v = network(exact.inputs.to(weight.dtype)).double()
            found["loss"].append(loss(v, exact))
            for name, metric in metrics.items():
                found[name].append(metric(v, exact))
        return {name: torch.cat(values) for name, values in found.items()}

    def validate(network: nn.Module) -> dict[str, float]:
        found = world.together(lambda: measured(network))
        return {name: float(world.gathered(values)[:count].mean()) for name, values in found.items()}

    return validate
