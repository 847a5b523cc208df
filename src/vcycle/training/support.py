"""The subspace of a sparse posterior: which weights are uncertain, how much, and which take their place."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

Entries = Float[Tensor, " k"]


class Support:
    """k of p weights with mean and rho, deviation = softplus(rho), and the optimizer's memory of exactly these."""

    def __init__(self, indices: Tensor, mean: Entries, rho: Entries, lr: float):
        self.indices = indices
        self.mean, self.rho = mean.requires_grad_(), rho.requires_grad_()
        self.optimizer = torch.optim.Adam([self.mean, self.rho], lr=lr)

    @classmethod
    def random(cls, weights: int, density: float, deviation: float, lr: float, seed: int, like: Tensor) -> "Support":
        """A share `density` of the weights, at least one, with mean zero."""
        k = max(1, round(density * weights))
        indices = torch.randperm(weights, generator=torch.Generator().manual_seed(seed))[:k].to(like.device)
        rho = torch.full((k,), math.log(math.expm1(deviation))).to(like)
        return cls(indices, torch.zeros_like(rho), rho, lr)

    @torch.no_grad()
    def exchange(self, gradient: Float[Tensor, " p"], share: float) -> None:
        """Entries with the lowest signal-to-noise ratio leave, as many with the largest gradient enter.

        Those that enter start with mean zero, the mean rho of all, and an optimizer that remembers nothing of them.
        """
        outside = torch.ones_like(gradient, dtype=torch.bool)
        outside[self.indices] = False
        count = min(round(share * len(self.indices)), int(outside.sum()))
        if count == 0:
            return
        leave = signal_to_noise(self.mean, softplus(self.rho)).argsort(stable=True)[:count]
        enter = torch.where(outside, gradient.abs(), -1.0).argsort(descending=True, stable=True)[:count]
        rho = self.rho.mean()
        self.indices[leave] = enter
        self.mean[leave], self.rho[leave] = 0.0, rho
        for state in self.optimizer.state.values():
            state["exp_avg"][leave], state["exp_avg_sq"][leave] = 0.0, 0.0


def expected_size(mean: Entries, deviation: Entries) -> Entries:
    """E|theta| = mu erf(mu / (sigma sqrt 2)) + sigma sqrt(2 / pi) exp(-mu^2 / (2 sigma^2)), theta ~ N(mu, sigma^2)."""
    z = mean / deviation
    return mean * torch.erf(z / math.sqrt(2)) + deviation * math.sqrt(2 / math.pi) * torch.exp(-z.square() / 2)


def signal_to_noise(mean: Entries, deviation: Entries) -> Entries:
    """E|theta| over the standard deviation of |theta|.

    >>> round(signal_to_noise(torch.zeros(1), torch.ones(1)).item(), 4)
    1.3236
    """
    size = expected_size(mean, deviation)
    return size / (deviation.square() + mean.square() - size.square()).clamp_min(0).sqrt()
