"""The defect of a proposed state in the variation-of-constants formula of a semilinear evolution."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.solvers import Semilinear
from vcycle.solvers.exponential import phi
from vcycle.solvers.modal_grid import Spectrum
from vcycle.spaces import L2

Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]
COARSE, NODES = (0.0, 0.5, 1.0), (0.0, 0.25, 0.5, 0.75, 1.0)
PROBES = (0.125, 0.375, 0.625, 0.875)


class MildDefect:
    """How far v_1 may be from u(h), where u_t = L u + N(u), u(0) = v_0: with p a polynomial in time and

        w(t) = e^(t L) v_0 + integral from 0 to t of e^((t - s) L) p(s) ds

    the difference u - w solves (u - w)_t = L (u - w) + N(u) - N(w) + r with r = N(w) - p, so that

        ||u(h) - v_1|| <= ||w(h) - v_1|| + integral from 0 to h of e^(integral from t to h of mu(w)) ||r(t)|| dt

    for every p, if mu(w) is a rate of growth: (L (u - w) + N(u) - N(w), u - w) <= mu(w) ||u - w||^2 in L2.
    p interpolates N at five instants, the last of v_1 itself, the others of states that come from the same formula with
    fewer: for an exact v_1 the right-hand side is of the order h^5, and it is 0 if N = 0. Assumed, not proved, is that
    the integrals are those of the midpoint rule on quarters of the window, between the instants of p. It takes ten
    evaluations of N, most of them several at a time.

    equation   on a grid that lies where the states will
    rate       states to mu, (b,)
    Source: Hochbruck and Ostermann, Acta Numerica 19, 2010 (exponential integrators).
    """

    def __init__(self, equation: Semilinear, interval: float, rate: Callable[[Field], PerSample]):
        self.equation, self.interval, self.rate = equation, interval, rate
        self.steps = [
            _Quadrature(equation, interval, (0.0, 1.0), (0.5,)),
            _Quadrature(equation, interval, COARSE, (0.25, 0.5, 0.75)),
            _Quadrature(equation, interval, NODES, (*PROBES, 1.0)),
        ]

    def __call__(self, start: Field, end: Field) -> tuple[PerSample, PerSample]:
        """The bound of ||u(h) - v_1||, and the factor e^(integral of mu) by which errors of v_0 grow at most."""
        grid, nonlinear, norm = self.equation.grid, self.equation.nonlinear, L2(self.equation.grid.domain)
        a = grid.transform(start)
        first, last = nonlinear(torch.cat([a, grid.transform(end)])).chunk(2)
        inner: list[Spectrum] = []
        for quadrature in self.steps[:-1]:
            states = quadrature(a, [first, *inner, last])
            inner = list(nonlinear(torch.cat(states)).chunk(len(states)))
        forces = [first, *inner, last]
        *states, final = self.steps[-1](a, forces)
        found = nonlinear(torch.cat(states)).chunk(len(states))
        expected = [_combined(row, forces) for row in _lagrange(NODES, PROBES)]
        rest = torch.stack([norm(grid.inverse(n - p)) for n, p in zip(found, expected, strict=True)], 1)
        mu = torch.stack([self.rate(grid.inverse(w)) for w in states], 1)
        grown = (self.interval * mu.clamp_min(0.0).mean(1)).exp() * self.interval * rest.mean(1)
        return norm(grid.inverse(final) - end) + grown, (self.interval * mu.mean(1)).exp()


class _Quadrature:
    """w at some shares of the window, from p at `nodes`."""

    def __init__(self, equation: Semilinear, interval: float, nodes: tuple[float, ...], shares: tuple[float, ...]):
        # p(x h) = sum_j c_j x^j; e^((x h - s) L) (s / h)^j integrates to h x^(j+1) j! phi_(j+1)(x h L) over (0, x h).
        powers = torch.from_numpy(np.linalg.inv(np.vander(nodes, increasing=True)))
        self.decay, self.weights = [], []
        for x in shares:
            z, factor, moments = x * interval * equation.linear, x * interval, []
            for j, value in enumerate(phi(z, len(nodes))):
                moments.append(factor * value)
                factor *= x * (j + 1)
            self.decay.append(z.exp())
            self.weights.append([_combined(column, moments) for column in powers.T.tolist()])

    def __call__(self, a: Spectrum, forces: list[Spectrum]) -> list[Spectrum]:
        states = []
        for decay, weights in zip(self.decay, self.weights, strict=True):
            state = decay * a
            for weight, force in zip(weights, forces, strict=True):
                state = state + weight * force
            states.append(state)
        return states


def _combined(numbers: list[float], terms: list[Tensor]) -> Tensor:
    total = numbers[0] * terms[0]
    for number, term in zip(numbers[1:], terms[1:], strict=True):
        total = torch.add(total, term, alpha=number)
    return total


def _lagrange(nodes: tuple[float, ...], shares: tuple[float, ...]) -> list[list[float]]:
    """What the values at the nodes count in their polynomial at the shares."""
    return (np.vander(shares, len(nodes), increasing=True) @ np.linalg.inv(np.vander(nodes, increasing=True))).tolist()
