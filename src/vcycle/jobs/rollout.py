"""The network as a step in time, applied again and again to what it answered."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.training import Batch

Inputs = Float[Tensor, "b i *grid"]
Field = Float[Tensor, "b c *grid"]


@dataclass(frozen=True)
class Step:
    """Where the states stand among the inputs: `fixed` channels, then the states, then the `lead` if any."""

    fixed: int
    fields: int
    lead: bool = False

    def next_inputs(self, inputs: Inputs, predicted: Field) -> Inputs:
        """The inputs one step later: the oldest state goes, the predicted one comes."""
        stop = inputs.shape[1] - self.lead
        states = torch.cat([inputs[:, self.fixed + self.fields : stop], predicted.to(inputs)], 1)
        return torch.cat([inputs[:, : self.fixed], states, inputs[:, stop:]], 1)


@dataclass(frozen=True)
class Unrolled:
    """What training compares: n applications of the network with the n states that follow.

    n grows from 1 to `steps` in equal stages over the first `growing` steps of the run. With `pushforward` the
    network learns to answer its own errors: only the last application has a loss and a gradient.
    Source: Brandstetter, Worrall and Welling, Message passing neural PDE solvers, 2022.
    """

    step: Step
    steps: int
    growing: int
    pushforward: bool

    def applications(self, number: int) -> int:
        """n at a step of the run."""
        return self.steps if number >= self.growing else 1 + self.steps * number // max(self.growing, 1)

    def __call__(self, network: nn.Module, batch: Batch, number: int) -> tuple[Field, Batch]:
        if batch.targets is None:
            raise ValueError("applying a network several times needs the states that follow: train on trajectories")
        count, inputs, predicted = self.applications(number), batch.inputs, []
        for application in range(count):
            last = application == count - 1
            with torch.set_grad_enabled(last or not self.pushforward):
                predicted.append(network(inputs))
            if not last:
                inputs = self.step.next_inputs(inputs, predicted[-1])
        fields = self.step.fields
        if self.pushforward:
            targets = batch.targets[:, (count - 1) * fields : count * fields]
            return predicted[-1], Batch(inputs, targets)
        return torch.cat(predicted, 1), Batch(batch.inputs, batch.targets[:, : count * fields])
