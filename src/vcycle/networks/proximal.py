"""Learned proximal operators: gradients of convex networks, and the priors that belong to them."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Points = Float[Tensor, "b n"]
NEWTON_STEPS = 50


class InputConvex(nn.Module):
    """psi(y) = w^T z_K + alpha ||y||^2,   z_1 = s(H_1 y + b_1),   z_k = s(W_k z_(k-1) + H_k y + b_k).

    s(t) = softplus(beta t) / beta, w and W_k positive (softplus of their parameters): psi is convex and twice
    differentiable for any parameters, with modulus 2 alpha. Source: P112; there W_k is clamped after every step.
    """

    def __init__(self, features: int, *, width: int = 50, depth: int = 4, beta: float = 10.0, alpha: float = 0.0):
        super().__init__()
        self.beta, self.alpha = beta, alpha
        self.H = nn.ModuleList(nn.Linear(features, width) for _ in range(depth))
        small = math.log(math.expm1(1 / width))  # softplus of it is 1 / width
        self.W = nn.ParameterList(small + 0.1 * torch.randn(width, width) for _ in range(depth - 1))
        self.w = nn.Parameter(small + 0.1 * torch.randn(width))

    def forward(self, y: Points) -> Float[Tensor, " b"]:
        z = F.softplus(self.H[0](y), self.beta)
        for W, H in zip(self.W, self.H[1:], strict=True):
            z = F.softplus(F.linear(z, F.softplus(W)) + H(y), self.beta)
        return z @ F.softplus(self.w) + self.alpha * y.square().sum(1)


class Proximal(nn.Module):
    """f = grad psi with psi convex: exactly the proximal operator of some R, convex or not, for any weights,

        f(y) in argmin_x 1/2 ||x - y||^2 + R(x),      R(f(y)) = (y, f(y)) - 1/2 ||f(y)||^2 - psi(y).

    Sources: P112; Gribonval and Nikolova, J. Math. Imaging Vis. 62 (2020).
    """

    def __init__(self, psi: nn.Module):
        super().__init__()
        self.psi: nn.Module = psi

    def forward(self, y: Points) -> Points:
        differentiable = torch.is_grad_enabled()
        with torch.enable_grad():
            y = y if y.requires_grad else y.detach().requires_grad_()
            return torch.autograd.grad(self.psi(y).sum(), y, create_graph=differentiable)[0]

    def prior(self, y: Points) -> Float[Tensor, " b"]:
        """R at the point f(y)."""
        x = self(y)
        return ((y - x / 2) * x).sum(1) - self.psi(y)

    @torch.no_grad()
    def preimage(self, x: Points, tolerance: float = 1e-8) -> Points:
        """y with f(y) = x, the minimum of psi(y) - (x, y), by Newton's method with halved steps; one if alpha > 0.

        Raises ValueError where the residual stays above the tolerance.
        """
        y = x.clone()
        for _ in range(NEWTON_STEPS):
            r = self(y) - x
            if float(r.abs().max()) <= tolerance:
                return y
            step = torch.linalg.lstsq(self.jacobian(y), r[..., None]).solution[..., 0]
            value, t = self._dual(y, x), torch.ones_like(y[:, :1])
            for _ in range(30):
                worse = self._dual(y - t * step, x) > value - 1e-4 * t[:, 0] * (r * step).sum(1) + 1e-12 * value.abs()
                if not bool(worse.any()):
                    break
                t = torch.where(worse[:, None], t / 2, t)
            y = y - t * step
        worst = float((self(y) - x).abs().max())
        if worst > tolerance:
            raise ValueError(
                f"no y with f(y) = x was found (residual {worst:.1e}, tolerance {tolerance:.0e}): points outside the "
                "range of f have none; take alpha > 0, double precision or a looser tolerance"
            )
        return y

    def jacobian(self, y: Points) -> Float[Tensor, "b n n"]:
        """grad f(y), symmetric and positive semi-definite."""
        with torch.enable_grad():
            y = y.detach().requires_grad_()
            x = self(y).sum(0)
            return torch.stack([torch.autograd.grad(one, y, retain_graph=True)[0] for one in x], 1)

    def _dual(self, y: Points, x: Points) -> Float[Tensor, " b"]:
        return self.psi(y) - (x * y).sum(1)


def proximal_matching(f: Points, x: Points, gamma: float) -> Float[Tensor, ""]:
    """1 - exp(-||f - x||^2 / gamma^2), the mean over samples: as gamma -> 0 its minimum is the mode of x given y.

    The mean square gives the posterior mean instead, mean absolute values the median. Vanishes far from x: begin with
    absolute values, then lower gamma. Source: P112.
    """
    return -torch.expm1(-(f - x).square().sum(1) / gamma**2).mean()
