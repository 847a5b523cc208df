"""Does a solver inside a graph network reach farther? Potentials of random resistor networks, small and large.

    python benchmarks/graphs.py [--updates 300] [--threads 1]

Nodes are random points of the unit square, joined to their five nearest; conductances are lognormal; potential 1 at the
left, 0 at the right, and the currents of all other nodes add up to zero. GraphSolver (one graph layer, then fixed
points) against three graph layers with about as many parameters, trained on 30 nodes, tested on 30, 90 and 270.
Writes benchmarks/graphs.csv.
"""

import argparse
import time

import torch
from torch import Tensor, nn

from machine import write_table
from vcycle.networks.graph_solver import GraphSolver
from vcycle.operators import count_parameters

Graph = tuple[Tensor, Tensor, Tensor, Tensor]  # nodes, edges, edge features, potentials
BATCH, NEAREST, ENDS = 8, 5, 0.15


def network(nodes: int, seed: int) -> Graph:
    """Node features: held at 1, held at 0; edge features: the logarithm of the conductance."""
    g = torch.Generator().manual_seed(seed)
    points = torch.rand(nodes, 2, generator=g)
    near = torch.cdist(points, points).topk(NEAREST + 1, largest=False).indices[:, 1:]
    joined = torch.zeros(nodes, nodes, dtype=torch.bool)
    joined[torch.arange(nodes)[:, None], near] = True
    joined |= joined.T.clone()
    log = torch.randn(nodes, nodes, generator=g).triu(1)
    log = log + log.T
    k = torch.where(joined, log.exp(), 0.0).double()
    left, right = points[:, 0] < max(ENDS, float(points[:, 0].min())), points[:, 0] > 1 - ENDS
    left[points[:, 0].argmin()] = right[points[:, 0].argmax()] = True
    A = k.sum(1).diag() - k
    held = left | right
    A[held] = torch.eye(nodes, dtype=torch.float64)[held]
    # A component without a held node has no potential: it is held at 0 by a very weak resistor.
    A = A + torch.where(held, 0.0, 1e-9).double().diag()
    u = torch.linalg.solve(A, left.double())
    edges = joined.nonzero().T
    return torch.stack([left, right], 1).float(), edges, log[edges[0], edges[1]][:, None], u.float()[:, None]


def union(graphs: list[Graph]) -> Graph:
    starts = torch.tensor([0] + [len(graph[0]) for graph in graphs]).cumsum(0)
    x, e, u = (torch.cat([graph[i] for graph in graphs]) for i in (0, 2, 3))
    return x, torch.cat([graph[1] + start for graph, start in zip(graphs, starts, strict=False)], 1), e, u


class GraphLayers(nn.Module):
    """h_i <- h_i + N(h_i, sum_j M(h_j, h_i, e_ij)), three times: information travels three edges."""

    def __init__(self, width: int = 20, layers: int = 3):
        super().__init__()
        self.lift, self.project = nn.Linear(2, width), nn.Linear(width, 1)

        def perceptron(i: int) -> nn.Module:
            return nn.Sequential(nn.Linear(i, width), nn.GELU(), nn.Linear(width, width))

        self.messages = nn.ModuleList(perceptron(2 * width + 1) for _ in range(layers))
        self.nodes = nn.ModuleList(perceptron(2 * width) for _ in range(layers))

    def forward(self, x: Tensor, edges: Tensor, e: Tensor) -> Tensor:
        h, (j, i) = self.lift(x), edges
        for message, node in zip(self.messages, self.nodes, strict=True):
            total = torch.zeros_like(h).index_add(0, i, message(torch.cat([h[j], h[i], e], 1)))
            h = h + node(torch.cat([h, total], 1))
        return self.project(h)


@torch.no_grad()
def error(model: nn.Module, nodes: int) -> float:
    x, edges, e, u = union([network(nodes, 10_000 + i) for i in range(16)])
    return float((model(x, edges, e) - u).norm() / (u - u.mean()).norm())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    rows = []
    models = {"GraphSolver": lambda: GraphSolver(2, 1, 1, rate=0.98, tolerance=1e-4), "three layers": GraphLayers}
    for name, make in models.items():
        torch.manual_seed(0)
        model, began = make(), time.process_time()
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=given.updates)
        for update in range(given.updates):
            x, edges, e, u = union([network(30, BATCH * update + i) for i in range(BATCH)])
            loss = (model(x, edges, e) - u).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        seconds = time.process_time() - began
        row = {"network": name, "parameters": count_parameters(model), "updates": given.updates}
        row |= {f"error_{nodes}_nodes": f"{error(model.eval(), nodes):.3f}" for nodes in (30, 90, 270)}
        rows.append({**row, "cpu_seconds": f"{seconds:.0f}"})
        print(*rows[-1].values(), sep="\t", flush=True)
    write_table("graphs.csv", rows, threads=given.threads)


if __name__ == "__main__":
    main()
