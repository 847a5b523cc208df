"""What a run minimises and what it watches: the losses by name, and validation metrics."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.jobs.equation_losses import bound, dual_residual, energy, preconditioned_residual, ritz, strong_residual
from vcycle.jobs.tasks import Task
from vcycle.problems import Problem
from vcycle.problems.minimum import Iterated, Minimum
from vcycle.surrogate.guarantee import covered
from vcycle.training import Batch, Loss, h1, l2
from vcycle.training.processes import Processes

Field = Float[Tensor, "b c *grid"]
NEEDS = {"bound": "a guaranteed bound", "preconditioned_residual": "steps towards the solution"}


def loss_named(name: str, task: Task) -> Loss:
    """The loss of this name for a task."""
    if name == "l2":
        return l2(task.domain, task.placement)
    if name == "h1":
        return h1(task.domain, task.placement)
    if task.problem is None or task.placement != "cell":
        lacking = "the equation" if task.problem is None else "cell values"
        raise ValueError(f"loss {name} needs {lacking}, which these data lack: give --problem, or use loss h1 or l2")
    known = losses_of(task.problem)
    if name not in known:
        raise ValueError(
            f"loss {name} needs {NEEDS.get(name, 'a convex energy')}, which {task.problem.title} lacks here: use loss "
            f"{', '.join(known)}"
        )
    return known[name]


def losses_of(problem: Problem) -> dict[str, Loss]:
    """The losses by name that there are for a problem."""
    known = {"h1": h1(problem.domain), "l2": l2(problem.domain)}
    if isinstance(problem, Minimum):
        losses = (energy, ritz, strong_residual, dual_residual)
        known |= {loss.__name__: loss(problem) for loss in losses}
    if isinstance(problem, Iterated):
        known["preconditioned_residual"] = preconditioned_residual(problem)
    if covered(problem):
        known["bound"] = bound(problem)
    return known


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
