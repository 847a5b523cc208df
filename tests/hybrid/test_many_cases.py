"""The bounds against 16,000 random, extreme cases: no true error is larger than its bound."""

import math

import pytest
import torch
from torch import Tensor

from references.cases import BOUNDARIES, domain
from references.dense import distance, network, solve_network
from vcycle.hybrid import energy_bound
from vcycle.spaces import Domain, Energy

SHAPES = [(2,), (3,), (9,), (2, 2), (5, 4), (3, 7), (2, 3, 2), (3, 3, 3)]
REACTIONS = ["none", "constant", "anything", "somewhere"]
SLACK = 1e-9
COUNT = 10  # 8 shapes x 5 boundaries x 4 reactions x 10 coefficients x 7 functions: 11,200 discrete cases


def coefficients(D: Domain, shape: tuple[int, ...], reaction: str, count: int, seed: int) -> tuple[Tensor, ...]:
    """a of contrast 1 to 1e8, in two phases or in between; c from 0 to 1e6; f of both signs, of one, or a spike."""
    g = torch.Generator().manual_seed(seed)

    def uniform(*size: int) -> Tensor:
        return torch.rand(count, 1, *size, generator=g, dtype=torch.float64)

    ones = [1] * len(shape)
    z = uniform(*shape)
    a = 10 ** (8 * uniform(*ones) * torch.where(uniform(*ones) < 0.5, z, (z > 0.5).double()))
    a = a * 10 ** (2 * uniform(*ones) - 5)
    if reaction == "none":
        c = torch.zeros_like(a)
    elif reaction == "constant":
        c = 10 ** (10 * uniform(*ones) - 4) + torch.zeros_like(a)
    else:
        c = 10 ** (10 * uniform(*shape) - 4)
    if reaction == "somewhere":
        c = torch.where(uniform(*shape) < 0.5, c, 0.0)
        c.flatten(1)[:, 0] = 1.0
    f = torch.randn(count, 1, *shape, generator=g, dtype=torch.float64)
    kind = uniform(*ones)
    spike = torch.zeros_like(f)
    spike.flatten(1)[:, -1] = 1e3
    f = torch.where(kind < 0.3, torch.ones_like(f), torch.where(kind < 0.6, spike, f))
    if D.floating and reaction == "none":
        f = f - f.mean(tuple(range(1, f.ndim)), keepdim=True)
    return a, c, f


def exact(a: Tensor, c: Tensor, f: Tensor, D: Domain) -> Tensor:
    """The solution of the finite-volume equations."""
    load = f.flatten(1) * (math.prod(D.lengths) / f[0].numel())
    return solve_network(*network(a, c, D), load).view_as(f)


def approximations(u: Tensor, data: tuple[Tensor, ...], seed: int) -> tuple[Tensor, ...]:
    """The solution, zero, noise of its size, huge and tiny noise on it, a spike, a constant; u and data as often."""
    g = torch.Generator().manual_seed(seed)
    size = u.abs().flatten(1).amax(1).view(-1, *[1] * (u.ndim - 1))
    noise = torch.randn(u.shape, generator=g, dtype=u.dtype)
    spike = torch.zeros_like(u)
    spike.flatten(1)[:, u[0].numel() // 2] = 1.0
    v = [u, 0 * u, size * noise, u + 1e6 * size * noise, u * (1 + 1e-6 * noise), u + size * spike, size + 0 * u]
    return torch.cat(v), *(x.repeat(len(v), *[1] * (x.ndim - 1)) for x in (u, *data))


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_discrete_error_is_larger_than_its_bound(shape, boundary):
    D = domain(len(shape), boundary)
    for seed, reaction in enumerate(REACTIONS):
        a, c, f = coefficients(D, shape, reaction, COUNT, seed)
        v, u, a, c, f = approximations(exact(a, c, f, D), (a, c, f), seed)
        energy = Energy(D, a, c)
        true, size = energy(u - v), energy(u) + energy(v)
        for tighten in (0, 1):
            bound = energy_bound(v, a, f, D, reaction=c, tighten=tighten)
            assert bool((bound.value >= true * (1 - SLACK) - SLACK * size).all()), (reaction, bound.value / true)
            assert bool((bound.least <= energy(u) + SLACK * size).all()), (reaction, bound.least / energy(u))


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", [s for s in SHAPES if len(s) < 3 or s == (2, 3, 2)], ids=str)
def test_no_error_to_the_solution_of_the_pde_is_larger_than_its_bound(shape, boundary):
    D = domain(len(shape), boundary)
    for seed, reaction in enumerate(REACTIONS):
        a, c, f = coefficients(D, shape, reaction, COUNT // 2, seed)
        v, _, a, c, f = approximations(exact(a, c, f, D), (a, c, f), seed)
        bound = energy_bound(v, a, f, D, reaction=c, form="continuum")
        true, size = distance(bound.field, a, c, f, D, 4 if len(shape) == 1 else 2)
        assert bool((bound.value >= true - SLACK * (true + size)).all()), (reaction, bound.value / true)
