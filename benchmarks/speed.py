"""How fast is a training step on a CPU, against the same arithmetic in its usual form?

    python benchmarks/speed.py [--threads 1 2] [--networks FNO] [--repeats 5]        # writes benchmarks/speed.csv

Three pairs compute the same numbers from the same weights, which is checked to 1e-5 for the output and for the gradient
with respect to the input: the spectral layer and the whole FNO of neuraloperator 2.0 (rfft2 and irfft2), and MgNO with
one torch convolution for every stencil, in the default memory layout. A step is forward and backward, and the least of
several times counts: the processor's on one thread, the clock's on two.

Six processes take turns, three for each network: as torch comes; set up as `vcycle train` sets up its own, where freed
memory stays (spaces.kept_memory), convolutions use the vectors that suit the processor (spaces.suit_vectors), and our
weights lie as products want them (networks.align_weights); and so set up and compiled, as by `vcycle train --compile
true`. `times_faster`, `times_faster_set` and `times_faster_compiled` compare like with like, `as_trained` the rival as
torch comes with ours as it trains, and `at_best` the least time of each.

The rival is no dependency of this package and needs none of its own for this:
`pip install --no-deps --target RIVAL neuraloperator tensorly tensorly-torch opt-einsum requests urllib3 idna certifi
charset-normalizer`, then PYTHONPATH=RIVAL.
"""

import argparse
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from functools import partial

import torch
import torch.nn.functional as F
from neuralop.layers.spectral_convolution import SpectralConv
from neuralop.models import FNO
from torch import Tensor, nn

from machine import update_table
from timing import Apart, in_turns
from vcycle.networks import MgNO, align_weights, from_authors
from vcycle.operators import Multigrid
from vcycle.spaces import Domain, kept_memory, suit_vectors
from vcycle.training.compilation import compiled

TOLERANCE = 1e-5
WIDTH, MODES, BATCH = 32, (16, 16), 4
WHO = ("rival", "ours")
CASES = {"spectral layer": (64, 128, 256), "FNO": (64, 128), "MgNO": (64, 128, 256)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--networks", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    for threads in given.threads:
        rows: list[dict[str, object]] = []
        for what in given.networks:
            for n in CASES[what]:
                rows.append(compared(what, n, threads, given.repeats))
                print(*rows[-1].values(), sep="\t", flush=True)
        update_table("speed.csv", rows, key=("network", "resolution", "threads"), threads=threads)


def compared(what: str, n: int, threads: int, repeats: int) -> dict[str, object]:
    """The least times of both networks in every kind of process."""
    ours, theirs, x = pair(what, n)
    difference = disagreement(ours, theirs, x)
    if difference > TOLERANCE:
        raise ValueError(f"{what} at {n}: the two differ by {difference:.1e}, expected {TOLERANCE} or less")
    kinds = ("", "_set", "_compiled")
    rivals = {f"{who}{kind}": Apart(work, who == "rival", kind, what, n, threads) for kind in kinds for who in WHO}
    in_turns(rivals.values(), repeats)
    least = {name: rival.seconds for name, rival in rivals.items()}
    for rival in rivals.values():
        rival.end()
    row: dict[str, object] = {"network": what, "resolution": n, "threads": threads, "batch": BATCH}
    row["difference"] = f"{difference:.0e}"
    row |= {f"{name}_ms": f"{1e3 * seconds:.1f}" for name, seconds in least.items()}
    row |= {f"times_faster{kind}": f"{least[f'rival{kind}'] / least[f'ours{kind}']:.2f}" for kind in kinds}
    row["as_trained"] = f"{least['rival'] / least['ours_set']:.2f}"
    best = {who: min(seconds for name, seconds in least.items() if who in name) for who in WHO}
    return {**row, "at_best": f"{best['rival'] / best['ours']:.2f}"}


@contextmanager
def work(rival: bool, kind: str, what: str, n: int, threads: int) -> Generator[Callable[[], None]]:
    """A step of one network, in a process as torch comes, or as `vcycle train` sets it up, or compiled besides."""
    if kind:
        suit_vectors()
    torch.set_num_threads(threads)
    with kept_memory() if kind else nullcontext():
        ours, theirs, x = pair(what, n)
        if kind:
            align_weights(ours)
        network = theirs if rival else ours
        yield partial(step, compiled(network, x.device) if kind == "_compiled" else network, x.requires_grad_())


def step(network: nn.Module, x: Tensor) -> None:
    network.zero_grad()
    x.grad = None
    network(x).square().sum().backward()


def pair(what: str, n: int) -> tuple[nn.Module, nn.Module, Tensor]:
    """Ours and theirs with the same weights, and an input."""
    torch.manual_seed(0)
    if what == "MgNO":
        ours = MgNO(1, 1, resolution=n, domain=Domain.unit(2))
        return ours, PlainMgNO(ours), torch.randn(BATCH, 1, n, n)
    if what == "FNO":
        options = {"n_modes": MODES, "hidden_channels": WIDTH, "in_channels": 1, "out_channels": 1}
        theirs = FNO(**options)
    else:
        options = {"n_modes": MODES, "in_channels": WIDTH, "out_channels": WIDTH}
        theirs = SpectralConv(**options)
    ours = from_authors({"cls": type(theirs).__name__, "kwargs": options}, theirs.state_dict())
    return ours.train().requires_grad_(), theirs, torch.randn(BATCH, options["in_channels"], n, n)


class PlainMgNO(nn.Module):
    """What MgNO computes, one torch module a step: V-cycles from Pi u that do not smooth after a correction."""

    def __init__(self, network: MgNO):
        super().__init__()
        self.cycles = nn.ModuleList(nn.ModuleList() for _ in network.neurons)
        self.biases = nn.ModuleList(
            convolution(layer.B.weight[..., None, None], layer.B.bias) for layer in network.neurons
        )
        self.head = convolution(network.head.weight[..., None, None], None)
        for levels, layer in zip(self.cycles, network.neurons, strict=True):
            if not isinstance(layer.W, Multigrid):
                raise TypeError(f"expected neurons whose W is a cycle, got {type(layer.W).__name__}")
            levels.extend(plain_level(level) for level in layer.W.levels)

    def forward(self, x: Tensor) -> Tensor:
        for levels, bias in zip(self.cycles, self.biases, strict=True):
            x = F.gelu(cycle(list(levels), None, x) + bias(x))
        return self.head(x)


def cycle(levels: list[nn.ModuleDict], u: Tensor | None, f: Tensor) -> Tensor:
    level = levels[0]
    for step in range(2):
        if f"S{step}" in level:
            u = level[f"S{step}"](f) if u is None else u + level[f"S{step}"](f - level[f"A{step}"](u))
    if len(levels) > 1:
        u = u + level["P"](cycle(levels[1:], level["Pi"](u), level["R"](f)))
    return u


def plain_level(level: nn.Module) -> nn.ModuleDict:
    made = {}
    for step, smoother in enumerate(level.pre):
        made[f"S{step}"] = convolution(smoother.S.weight, None)
        if smoother.A is not None:
            made[f"A{step}"] = convolution(smoother.A.weight, None)
    if level.R is not None:
        made |= {name: convolution(getattr(level, name).weight, None, stride=2) for name in ("R", "Pi")}
        coarse, fine = level.P.weight.shape[:2]
        made["P"] = nn.ConvTranspose2d(coarse, fine, 4, 2, 1, bias=False)
        made["P"].weight = nn.Parameter(level.P.weight.detach().clone(memory_format=torch.contiguous_format))
    return nn.ModuleDict(made)


def convolution(weight: Tensor, bias: Tensor | None, stride: int = 1) -> nn.Conv2d:
    target, source, kernel = weight.shape[:3]
    made = nn.Conv2d(source, target, kernel, stride, kernel // 2, bias=bias is not None)
    made.weight = nn.Parameter(weight.detach().clone(memory_format=torch.contiguous_format))
    if bias is not None:
        made.bias = nn.Parameter(bias.detach().clone())
    return made


def disagreement(ours: nn.Module, theirs: nn.Module, x: Tensor) -> float:
    """The larger of the relative differences of the outputs and of the gradients with respect to the input."""
    results = []
    for network in (ours, theirs):
        given = x.clone().requires_grad_()
        y = network(given)
        results.append((y.detach(), torch.autograd.grad(y.square().sum(), given)[0]))
    return max(float((a - b).norm() / b.norm()) for a, b in zip(*results, strict=True))


if __name__ == "__main__":
    main()
