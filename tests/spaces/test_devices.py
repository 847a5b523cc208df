"""Norms, bases and transfer answer where their functions lie, with the numbers of the processor up to rounding."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from references.some_gpu import some_gpu
from references.there import Copies, assert_there
from vcycle.spaces import H1, L2, Basis, Domain, Energy, HMinus1, PairedModes, placed, resample
from vcycle.spaces.devices import _carried

DOMAINS = [
    Domain([1.0, 2.0], [("dirichlet", "neumann"), "dirichlet"]),
    Domain([1.0, 2.0], ["periodic", ("neumann", "dirichlet")]),
]


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("placement", ["cell", "vertex"])
@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_norms_and_their_gradients(domain: Domain, placement: Any):
    norms = [L2(domain, placement), H1(domain, placement), HMinus1(domain, placement), HMinus1(domain, exact=True)]

    def measured(u: Tensor, w: Tensor, a: Tensor) -> Any:
        u = u.clone().requires_grad_()
        some = [*norms, Energy(domain, a.exp(), a.square())] if placement == "cell" else norms
        sizes = [norm.relative(u, w) for norm in some]
        return *[size.detach() for size in sizes], *torch.autograd.grad(sum(sizes[1:], sizes[0]).sum(), u)

    assert_there(measured, *(noise(seed, 2, 1, 8, 9) for seed in range(3)))


@pytest.mark.parametrize("placement", ["cell", "vertex"])
@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_other_grids_and_bases(domain: Domain, placement: Any):
    def seen(u: Tensor) -> Any:
        basis, grids = Basis(domain, placement, (5, 4)), ((4, 3), (16, 20), (7, 11))
        c = basis.analyse(u)
        return c, basis.synthesise(c, (12, 10)), *(resample(u, domain, shape, placement) for shape in grids)

    assert_there(seen, noise(0, 2, 3, 8, 9))


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@pytest.mark.parametrize("shape", [(8, 9), (7, 10)])
def test_paired_modes(shape: tuple[int, int], domain: Domain):
    modes = PairedModes(domain, shape)
    assert_there(lambda u: (modes.analyse(u), modes.synthesise(modes.analyse(u))), noise(0, 2, *shape))


def test_arrays_are_carried_once_and_for_as_long_as_they_are_kept():
    array = np.ones(3)
    with some_gpu() as gpu:
        like = torch.zeros((), dtype=torch.float32, device=gpu)
        with Copies() as copies:
            first, second = placed(array, like), placed(array, like)
        assert first is second
        assert (first.device, first.dtype, copies.count) == (gpu, torch.float32, 1)
        assert placed(array, like.double()).dtype == torch.float64
        there = len(_carried)
        del array
        assert len(_carried) == there - 2
