import math

import pytest
import torch

from vcycle.networks.equilibrium import Equilibrium
from vcycle.networks.graph_solver import GraphSolver

N, DEGREE = 12, 3


def graph(seed: int = 0, nodes: int = N):
    """Random neighbours; node 0 has none."""
    g = torch.Generator().manual_seed(seed)
    i = torch.arange(1, nodes).repeat_interleave(DEGREE)
    j = torch.randint(0, nodes, (len(i),), generator=g)
    x = torch.randn(nodes, 2, generator=g, dtype=torch.float64)
    return x, torch.stack([j, i]), torch.randn(len(i), 1, generator=g, dtype=torch.float64)


def solver(rate: float = 0.5, tolerance: float = 1e-13) -> GraphSolver:
    torch.manual_seed(0)
    return GraphSolver(2, 1, 1, heads=4, width=8, rate=rate, tolerance=tolerance).double()


def dense(network: GraphSolver, *inputs: torch.Tensor):
    """A (heads, n, n) and b (heads, n)."""
    step, c = network.contraction(*inputs)
    weights, b = step.weights(c)[0], c[0, -network.heads :]
    A = torch.zeros(network.heads, N, N, dtype=weights.dtype)
    rows = torch.arange(N)[:, None].expand_as(step.neighbours)
    return A.index_put((torch.arange(network.heads)[:, None, None], rows, step.neighbours), weights, accumulate=True), b


def test_rows_sum_to_less_than_one_whatever_the_weights():
    network = solver()
    for p in network.parameters():
        p.data = 5 * torch.randn_like(p)
    A, _ = dense(network, *graph())
    assert bool((A >= 0).all())
    assert float(A.detach().sum(2).max()) <= 1 + 1e-12
    assert bool((A[:, 0] == 0).all())


def test_the_fixed_point_is_that_of_the_dense_matrix_from_any_start():
    network, inputs = solver(), graph()
    A, b = dense(network, *inputs)
    exact = torch.linalg.solve(torch.eye(N, dtype=A.dtype) - network.rate * A, b[..., None])[..., 0]
    step, c = network.contraction(*inputs)
    z = Equilibrium(step, tolerance=1e-13, most=60)(c)[0]
    torch.testing.assert_close(z, exact, rtol=1e-11, atol=1e-11)
    step.start = 100.0
    torch.testing.assert_close(Equilibrium(step, tolerance=1e-13, most=80)(c)[0], exact, rtol=1e-11, atol=1e-11)


def test_as_many_iterations_as_banach_says():
    """Errors shrink by the rate 1/2 in the maximum norm: 20 iterations for 1e-6."""
    step, c = solver().contraction(*graph())
    T, z, y = step.at(c), torch.zeros(1, 4, N, dtype=torch.float64), torch.randn(1, 4, N, dtype=torch.float64)
    first = (z - y).abs().max()
    for _ in range(math.ceil(math.log(1e-6) / math.log(0.5))):
        before = (z - y).abs().max()
        z, y = T(z), T(y)
        assert float((z - y).abs().max()) <= 0.5 * float(before) * (1 + 1e-12)
    assert float((z - y).abs().max()) <= 1e-6 * float(first)


def test_the_implicit_gradient_is_that_of_sixty_unrolled_steps():
    network, inputs = solver(), graph()
    target = torch.randn(N, 1, dtype=torch.float64)
    (network(*inputs) * target).sum().backward()
    implicit = [p.grad.clone() for p in network.parameters()]
    network.zero_grad()
    step, c = network.contraction(*inputs)
    T, z = step.at(c), torch.zeros(1, 4, N, dtype=torch.float64)
    for _ in range(60):
        z = T(z)
    (network.decode(z[0].mT) * target).sum().backward()
    for one, p in zip(implicit, network.parameters(), strict=True):
        torch.testing.assert_close(one, p.grad, rtol=1e-9, atol=1e-9)


def test_renumbered_nodes_and_shuffled_edges_renumber_the_answer():
    network, (x, edges, e) = solver(), graph()
    g = torch.Generator().manual_seed(3)
    order, shuffle = torch.randperm(N, generator=g), torch.randperm(edges.shape[1], generator=g)
    position = order.argsort()
    again = network(x[order], position[edges][:, shuffle], e[shuffle])
    torch.testing.assert_close(again, network(x, edges, e)[order])


def test_a_wrong_rate_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.0"):
        solver(rate=1.0)(*graph())
