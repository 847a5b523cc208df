"""Sparse-subspace variational inference: a Gaussian posterior over a few of a network's weights, chosen on the way."""

import copy
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from rich.console import Console
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import softplus

from vcycle.training.batch import Loss, Stream
from vcycle.training.progress import progress
from vcycle.training.support import Support

Vector = Float[Tensor, " p"]
SPEAK_EVERY = 10  # steps


@dataclass(frozen=True)
class Variational:
    """How the posterior is found.

    density      share of the weights in the subspace, which never changes
    prior, start deviations of the prior N(centre, prior^2) and of q in the beginning
    temperature  what the Kullback-Leibler divergence is multiplied with: below 1 the posterior is a cold one
    interval     steps between changes of the subspace; `removed` the share that is exchanged at first, falling as half
                 a cosine to 0 after `until` of all steps
    """

    steps: int = 500
    lr: float = 1e-3
    density: float = 0.05
    prior: float = 0.05
    start: float = 0.005
    temperature: float = 1.0
    interval: int = 50
    removed: float = 0.3
    until: float = 0.75
    seed: int = 0

    def exchanged(self, step: int) -> float:
        """f(t) = (removed / 2) (1 + cos(pi t / T)) up to T = until * steps, then 0."""
        end = self.until * self.steps
        return 0.5 * self.removed * (1 + math.cos(math.pi * step / end)) if step < end else 0.0


@dataclass(frozen=True)
class SparsePosterior:
    """theta = centre + sum_{i in S} N(mean_i, deviation_i^2) e_i: all weights outside S are those of the centre."""

    centre: Vector
    support: Int[Tensor, " k"]
    mean: Float[Tensor, " k"]
    deviation: Float[Tensor, " k"]

    def sample(self, seed: int) -> Vector:
        """One draw of all weights."""
        noise = torch.randn(self.mean.shape, generator=torch.Generator().manual_seed(seed))
        return self.centre.index_add(0, self.support, self.mean + self.deviation * noise.to(self.mean))

    def networks(self, network: nn.Module, count: int, seed: int = 0) -> list[nn.Module]:
        """Copies of the network with weights drawn from the posterior."""
        drawn = []
        for number in range(count):
            other = copy.deepcopy(network)
            nn.utils.vector_to_parameters(self.sample(seed + number), other.parameters())
            drawn.append(other.eval())
        return drawn


def fit_posterior(
    network: nn.Module,
    stream: Stream,
    loss: Loss,
    noise: float,
    samples: int,
    settings: Variational | None = None,
    console: Console | None = None,
) -> SparsePosterior:
    """Minimise E_q[loss^2 / (2 noise^2)] + temperature KL(q || prior) / samples over q and, in turn, over its support.

    The likelihood is Gaussian in the misfit `loss` of a sample, with deviation `noise`; `samples` is the number of
    labels behind the stream. The centre is the network as it is, which stays as it is: trained weights for a posterior
    around them, zeros for a sparse network from scratch. Every `interval` steps the entries of S with the lowest
    signal-to-noise ratio leave (back to the centre exactly), and as many of the largest gradients enter. The `console`
    shows how far it is.

    Source: J. Li, Z. Miao, Q. Qiu, R. Zhang, Training Bayesian neural networks with sparse subspace variational
    inference, ICLR 2024. Unlike there only the k variational parameters are stored, not masks over all weights.
    Raises ValueError for complex weights, which have no place in one vector of numbers.
    """
    s = settings or Variational()
    require_real(network)
    network.eval()
    names = [(name, p.shape, p.numel()) for name, p in network.named_parameters()]
    centre = nn.utils.parameters_to_vector(network.parameters()).detach().clone()
    support = Support.random(len(centre), s.density, s.start, s.lr, s.seed, centre)
    with progress(console or Console(quiet=True), 0, s.steps) as shown:
        for step in range(s.steps):
            batch = stream(step).to(centre.device, centre.dtype)
            random = torch.Generator().manual_seed(s.seed * s.steps + step)
            deviation = softplus(support.rho)
            shift = support.mean + deviation * torch.randn(deviation.shape, generator=random).to(deviation)
            theta = centre.index_add(0, support.indices, shift)
            theta.retain_grad()
            parts = theta.split([size for _, _, size in names])
            weights = {name: part.view(shape) for (name, shape, _), part in zip(names, parts, strict=True)}
            misfit = loss(functional_call(network, weights, (batch.inputs,)), batch)
            weight = s.temperature * min(2 * step / s.steps, 1.0) / samples
            objective = (misfit / noise).square().mean() / 2 + weight * divergence(support.mean, deviation, s.prior)
            support.optimizer.zero_grad()
            objective.backward()
            support.optimizer.step()
            if (step + 1) % s.interval == 0 and theta.grad is not None:
                support.exchange(theta.grad, s.exchanged(step + 1))
            shown.update(step + 1, float(misfit.detach().mean()) if (step + 1) % SPEAK_EVERY == 0 else None, None)
    return SparsePosterior(centre, support.indices, support.mean.detach(), softplus(support.rho).detach())


def require_real(network: nn.Module) -> None:
    """Raises ValueError for a network without a posterior."""
    if any(p.is_complex() for p in network.parameters()):
        raise ValueError("a sparse posterior needs real weights, and this network has complex ones")


def divergence(mean: Float[Tensor, " k"], deviation: Float[Tensor, " k"], prior: float) -> Float[Tensor, ""]:
    """KL(N(mean, deviation^2) || N(0, prior^2)) = sum log(s / sigma) + (sigma^2 + mu^2) / (2 s^2) - 1/2."""
    return (math.log(prior) - deviation.log() + (deviation.square() + mean.square()) / (2 * prior**2) - 0.5).sum()
