"""Every network sits the exam and learns a small problem. A new one is examined the moment it is listed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pytest
import torch

from vcycle.networks import NETWORKS, Normalised, StencilNetwork, build
from vcycle.networks.reference_grid import ReferenceGrid
from vcycle.problems import Darcy
from vcycle.spaces import L2, Domain
from vcycle.testing import NETWORK_THEOREMS, Examinee


@dataclass(frozen=True)
class Toy:
    """A small version of a network, the error (mean relative L2) it must learn Darcy flow to, and where it lives.

    `error` is met on fresh coefficients at 16 x 16 after 200 steps on 64 labels; the mean solution alone has 0.24.
    """

    options: dict[str, Any]
    error: float
    lr: float = 5e-3
    shape: tuple[int, ...] = (16, 16)
    dimensions: tuple[int, ...] = (1, 2, 3)
    boundaries: tuple[str, ...] = ("dirichlet", "neumann", "periodic")


TOYS = {
    "deeponet": Toy({"rank": 16, "width": 32, "sensors": 8, "branch_depth": 2, "trunk_depth": 2}, 0.155),
    "multionet": Toy({"width": 32, "depth": 2, "layers": 2, "sensors": 8}, 0.165),
    "lno": Toy({"width": 8, "depth": 2, "rank": 6, "kernel_width": 12}, 0.135),
    "mono": Toy({"width": 6, "depth": 2, "rank": 6, "tree_depth": 1}, 0.14, lr=1e-2),
    "mgno": Toy({"width": 6, "depth": 2, "levels": 3}, 0.13),
    "unet": Toy({"width": 8, "levels": 3}, 0.09),
    "sinenet": Toy({"width": 8, "waves": 2, "levels": 3}, 0.07),
    "transformer": Toy({"width": 16, "depth": 2, "heads": 2, "points": 64, "modes": 6, "decoder_width": 8}, 0.1),
    "fno": Toy({"width": 8, "depth": 2, "modes": 6}, 0.13),
    "t1": Toy({"width": 8, "depth": 2, "modes": 8, "head_width": 16}, 0.135),
    "sfno": Toy({"width": 8, "depth": 2, "modes": 6}, 0.145, dimensions=(1, 2)),
    "implicit": Toy({"width": 8, "modes": 4, "rate": 0.5, "tolerance": 1e-4}, 0.13),
    "lsm": Toy({"width": 8, "levels": 2, "tokens": 2, "frequencies": 3}, 0.085),
}


def test_every_network_has_a_toy():
    assert set(TOYS) == set(NETWORKS)


@pytest.mark.parametrize("theorem", NETWORK_THEOREMS, ids=lambda theorem: theorem.__name__)
@pytest.mark.parametrize("name", NETWORKS)
def test_exam(name: str, theorem: Callable[[Examinee], None]) -> None:
    toy = TOYS[name]
    domain = Domain.unit(len(toy.shape), toy.boundaries[0])
    theorem(Examinee(name, lambda domain: build({"name": name, **toy.options}, 2, 1, domain), domain, toy.shape))


STENCILS = [name for name, kind in NETWORKS.items() if issubclass(kind, StencilNetwork)]


@pytest.mark.parametrize("name", STENCILS)
def test_stencils_can_tell_a_place_on_a_torus_unless_told_not_to(name: str) -> None:
    """Without coordinates they commute with shifts of a coarsest cell, so that a standing force is beyond them."""
    options, torus = {"name": name, **TOYS[name].options}, Domain.unit(2, "periodic")
    x = torch.randn(1, 1, 16, 16, dtype=torch.float64)
    for coordinates, blind in ((None, True), ("auto", False)):
        network = build({**options, "coordinates": coordinates}, 1, 1, torus).double().eval()
        gap = network(x.roll(8, 2)) - network(x).roll(8, 2)
        assert (float(gap.detach().abs().max()) < 1e-12) == blind
    assert build({**options, "coordinates": "auto"}, 1, 1, Domain.unit(2)).seen_channels == 1


@pytest.mark.parametrize("placement", ["cell", "vertex"])
@pytest.mark.parametrize("name", STENCILS)
def test_stencils_with_a_resolution_are_p_n_r(name: str, placement: str) -> None:
    options, domain = {"name": name, **TOYS[name].options}, Domain.unit(2)
    bare = build({**options, "placement": placement}, 2, 1, domain).double()
    network = build({**options, "placement": placement, "resolution": [16, 24]}, 2, 1, domain).double()
    network.load_state_dict(bare.state_dict())
    reference = ReferenceGrid(domain, (16, 24), placement)
    x = torch.randn(2, 2, 16, 24, dtype=torch.float64)
    torch.testing.assert_close(network(x), bare(x), rtol=0, atol=0)
    for grid in ((32, 48), (19, 21), (9, 40)):
        x = torch.randn(2, 2, *grid, dtype=torch.float64)
        torch.testing.assert_close(network(x), reference.prolong(bare(reference.restrict(x)), grid), rtol=0, atol=1e-12)


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann", "periodic", "mixed"])
@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_domain_is_handled_or_refused_with_a_sentence(name: str, dimension: int, boundary: str) -> None:
    toy = TOYS[name]
    if boundary == "mixed":
        domain = Domain([1.0, 2.0, 1.0][:dimension], [("dirichlet", "neumann"), "periodic", "neumann"][:dimension])
    else:
        domain = Domain.unit(dimension, boundary)
    handled = dimension in toy.dimensions and (boundary in toy.boundaries or boundary == "mixed")
    if boundary == "mixed" and set(toy.boundaries) != {"dirichlet", "neumann", "periodic"}:
        handled = False
    shape = (toy.shape * 3)[:dimension]
    if not handled:
        with pytest.raises(ValueError, match=r".{40}"):
            build({"name": name, **toy.options}, 2, 3, domain)
        return
    network = build({"name": name, **toy.options}, 2, 3, domain)
    out = network(torch.randn(2, 2, *shape))
    assert out.shape == (2, 3, *shape)


@lru_cache
def darcy(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    problem = Darcy()
    inputs = problem.sample((16, 16), seed, range(count))
    return inputs.float(), problem.solve(inputs).value.float()


@pytest.mark.parametrize("name", NETWORKS)
def test_it_learns(name: str) -> None:
    toy = TOYS[name]
    if 2 not in toy.dimensions or "dirichlet" not in toy.boundaries:
        pytest.skip("not for this problem")
    (a, u), (a_test, u_test) = darcy(64, 1), darcy(64, 2)
    norm = L2(Domain.unit(2))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build({"name": name, **toy.options}, 1, 1, Domain.unit(2))
        network = Normalised.fit(network, a, u, log=[True])
        optimizer = torch.optim.Adam(network.parameters(), lr=toy.lr)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, toy.lr, total_steps=200)
        for step in range(200):
            batch = torch.arange(8) + 8 * (step % 8)
            loss = norm.relative(network(a[batch]), u[batch]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        error = float(norm.relative(network.eval()(a_test), u_test).detach().mean())
    assert error <= toy.error
