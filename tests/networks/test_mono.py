"""MoNO: every input meets exactly one expert, the nearest along a tree."""

import pytest
import torch

from vcycle.networks import MoNO
from vcycle.networks.clusters import cluster_centres
from vcycle.networks.router import Router
from vcycle.operators import count_parameters
from vcycle.spaces import L2, Domain, GaussianField

MIXED = Domain([2.0, 1.0], [("dirichlet", "neumann"), "periodic"])
SMALL = {"width": 4, "depth": 1, "rank": 4, "sensors": 4}
experts = pytest.mark.parametrize("expert", ["fno", "lno"])


def network(expert: str = "fno", **options) -> MoNO:
    torch.manual_seed(0)
    return MoNO(2, 1, **SMALL, expert=expert, **options, domain=MIXED).double()


def inputs(count: int = 24, shape: tuple[int, int] = (8, 8)) -> torch.Tensor:
    return GaussianField(MIXED, modes=8).sample(shape, 5, range(2 * count)).reshape(count, 2, *shape)


@experts
def test_the_output_is_that_of_the_leaf(expert):
    net = network(expert)
    x = inputs()
    net.fit(x, x)
    leaf = net.router(x)
    assert sorted(leaf.unique().tolist()) == [0, 1, 2, 3]
    expected = torch.cat([net.experts[int(index)](sample[None]) for index, sample in zip(leaf, x, strict=True)])
    torch.testing.assert_close(net(x), expected)
    with torch.no_grad():
        torch.testing.assert_close(net(x), expected)


@experts
def test_the_other_experts_have_no_influence_and_no_gradient(expert):
    net = network(expert)
    x = inputs(1)
    u = net(x)
    u.square().sum().backward()
    active = int(net.router(x))
    for index, part in enumerate(net.experts):
        sizes = torch.stack([p.grad.abs().max() for p in part.parameters()])
        assert bool((sizes > 0).all()) if index == active else bool((sizes == 0).all())
        if index != active:
            for p in part.parameters():
                torch.nn.init.normal_(p)
    assert torch.equal(net(x), u)


@experts
def test_idle_experts_are_not_run_without_gradients(expert):
    net = network(expert)
    x, run = inputs(1), []
    for index, part in enumerate(net.experts):
        part.register_forward_hook(lambda module, args, output, index=index: run.append(index))
    with torch.no_grad():
        net(x)
    assert run == net.router(x).tolist()


def test_all_experts_together_are_leaves_times_one():
    net = MoNO(1, 1, fanout=3, tree_depth=2)
    assert count_parameters(net) == 9 * count_parameters(net.experts[0])


@experts
def test_the_exported_program_chooses_as_well(expert):
    net = network(expert).float()
    x = inputs(6).float()
    program = torch.export.export(net, (x,)).module()
    other = inputs(12)[6:].float()
    assert not torch.equal(net.router(x), net.router(other))
    for field in (x, other):
        torch.testing.assert_close(program(field), net(field))


class TestRouter:
    def test_a_search_looks_at_the_children_of_its_path_only(self):
        """depth * fanout centres; all others may be anything."""
        router = Router(MIXED, 2, 3, 3, 4).double()
        x = inputs(1)
        leaf = int(router(x))
        path = [0, 1 + leaf // 9, 4 + leaf // 3]
        kept = router.centres[path]
        router.centres.fill_(torch.nan)
        router.centres[path] = kept
        assert kept.shape[:2] == (3, 3)
        assert int(router(x)) == leaf

    def test_leaves_are_a_partition(self):
        router = Router(MIXED, 2, 3, 2, 4).double()
        x = inputs(40)
        leaf = router(x)
        assert leaf.shape == (40,)
        assert 0 <= int(leaf.min()) <= int(leaf.max()) < router.leaves
        assert torch.equal(leaf[::7], router(x[::7]))

    def test_the_child_is_the_nearest_in_L2(self):
        router = Router(MIXED, 2, 4, 1, 4).double()
        router.fit(inputs(30))
        x = inputs(30, (16, 24))
        centres = router.centres.view(4, 2, 4, 4).repeat_interleave(4, 2).repeat_interleave(6, 3)
        distances = torch.stack([L2(MIXED)(x - c) for c in centres])
        assert torch.equal(router(x), distances.argmin(0))

    def test_the_leaf_does_not_depend_on_the_resolution(self):
        router = Router(MIXED, 2, 2, 3, 4).double()
        fine = inputs(40, (32, 32))
        router.fit(fine)
        assert torch.equal(router(torch.nn.functional.avg_pool2d(fine, 4)), router(fine))

    def test_clusters_are_found_node_by_node(self):
        levels = torch.tensor([0.0, 1.0, 10.0, 11.0], dtype=torch.float64).repeat(6)
        x = levels.view(-1, 1, 1, 1).expand(-1, 1, 8, 8) + 0.01 * torch.randn(24, 1, 8, 8, dtype=torch.float64)
        router = Router(Domain.unit(2), 1, 2, 2, 2).double()
        router.fit(x)
        leaf = router(x)
        assert sorted(leaf[:4].tolist()) == [0, 1, 2, 3]
        assert torch.equal(leaf, leaf[:4].repeat(6))
        assert {int(k) // 2 for k in leaf[:2]} != {int(k) // 2 for k in leaf[2:4]}

    def test_a_tree_branches(self):
        with pytest.raises(ValueError, match="got fanout=1 and depth 2"):
            Router(MIXED, 1, 1, 2, 4)


def test_more_centres_than_points_leave_copies():
    centres = cluster_centres(torch.tensor([[1.0], [3.0]]), 4)
    assert set(centres.flatten().tolist()) == {1.0, 3.0}


def test_parameters_at_the_defaults():
    assert count_parameters(MoNO(1, 1)) == 578_260
