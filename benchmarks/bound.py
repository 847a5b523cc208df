"""How sharp is the bound? Effectivity (bound / true error) by problem, contrast, reaction, tightening; and its cost.

    python benchmarks/bound.py [--points 32] [--samples 32]

For a smooth perturbation of 5 %, noise of 5 %, and zero. Discrete form: against the discrete solution. Continuum form:
against the solution on a grid four times finer, whose own bound is the column `truth` (relative to the error, median).
Writes benchmarks/bound.csv.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from machine import write_table
from vcycle.hybrid import Bound, energy_bound
from vcycle.hybrid.bound import equation_of
from vcycle.problems import AnisotropicDarcy, Darcy, ImplicitHeat, TwoPhase
from vcycle.spaces import Domain, Energy, GaussianField

CYCLES = (0, 1, 2, 4)
FINER = 4


@dataclass(frozen=True)
class Case:
    """A problem with discrete solutions u, the bound of any v by cycles, and true errors (b,) with their accuracy."""

    problem: str
    contrast: str
    reaction: str
    form: str
    domain: Domain
    u: Tensor
    bound: Callable[[Tensor, int], Bound]
    true: Callable[[Tensor], tuple[Tensor, Tensor]]


def cases(n: int, samples: int) -> Iterator[Case]:
    for dimension, points in ((2, n), (3, max(4, n // 3))):
        for contrast in (4.0, 100.0, 1e4, 1e6):
            problem = Darcy(Domain.unit(dimension), TwoPhase(1.0, contrast))
            yield discrete(problem, f"{dimension}-D diffusion", f"{contrast:g}", points, samples)
    for contrast in (4.0, 1e4):
        for step in (1.0, 1e-2, 1e-4, 1e-6):
            problem = ImplicitHeat(prior=TwoPhase(1.0, contrast), step=step)
            yield discrete(problem, "2-D diffusion and reaction", f"{contrast:g}", n, samples)
    yield continuum(Darcy(), "2-D diffusion", "4", n // 2, samples)
    yield continuum(ImplicitHeat(prior=TwoPhase(1.0, 4.0)), "2-D diffusion and reaction", "4", n // 2, samples)
    for ratio in (1.0, 10.0, 100.0):
        yield continuum(AnisotropicDarcy(ratio=ratio), "2-D tensor", f"{ratio:g}", n // 2, samples)


def discrete(problem: Darcy | ImplicitHeat, name: str, contrast: str, n: int, samples: int) -> Case:
    inputs = problem.sample((n,) * problem.domain.dimension, 23, range(samples))
    (a, f), c = problem.fields(inputs), problem.reaction(inputs)
    norm, u = Energy(problem.domain, a, c), problem.solve(inputs).value
    return Case(
        name,
        contrast,
        "0" if c is None else f"{float(c.max()):g}",
        "discrete",
        problem.domain,
        u,
        lambda v, cycles: energy_bound(v, a, f, problem.domain, reaction=c, tighten=cycles),
        lambda v: (norm(v - u), torch.zeros(len(u))),
    )


def continuum(problem: Darcy | ImplicitHeat | AnisotropicDarcy, name: str, contrast: str, n: int, samples: int) -> Case:
    def data(inputs: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        if isinstance(problem, AnisotropicDarcy):
            return *problem.tensor(inputs), None
        return *problem.fields(inputs), problem.reaction(inputs)

    inputs = problem.sample((n, n), 23, range(samples))
    fine = inputs.repeat_interleave(FINER, 2).repeat_interleave(FINER, 3)
    (a, f, c), (fine_a, fine_f, fine_c) = data(inputs), data(fine)
    w = problem.solve(fine).value
    own = energy_bound(w, fine_a, fine_f, problem.domain, reaction=fine_c, form="continuum", tighten=2)
    equation = equation_of(w, fine_a, problem.domain, fine_c, "continuum")

    def bound(v: Tensor, cycles: int) -> Bound:
        return energy_bound(v, a, f, problem.domain, reaction=c, form="continuum", tighten=cycles)

    def true(v: Tensor) -> tuple[Tensor, Tensor]:
        """||w - v|| and ||u - w|| are orthogonal up to the reconstruction of w."""
        distance = equation.square(own.field - finer(bound(v, 0).field)).flatten(1).sum(1).sqrt()
        return distance, own.value / distance

    reaction = "0" if c is None else f"{float(c.max()):g}"
    return Case(name, contrast, reaction, "continuum", problem.domain, problem.solve(inputs).value, bound, true)


def finer(vertices: Tensor) -> Tensor:
    """The same multilinear function on the vertices of the finer grid."""
    size = [FINER * (n - 1) + 1 for n in vertices.shape[2:]]
    return torch.nn.functional.interpolate(vertices, size, mode="bilinear", align_corners=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=32)
    parser.add_argument("--samples", type=int, default=32)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for case in cases(given.points, given.samples):
        u = case.u
        wave = GaussianField(case.domain).sample(tuple(u.shape[2:]), 29, range(len(u)))
        noise = torch.randn(u.shape, generator=torch.Generator().manual_seed(31), dtype=u.dtype)
        approximations = {
            "smooth 5 %": u * (1 + 0.05 * wave / wave.std()),
            "noise 5 %": u * (1 + 0.05 * noise),
            "zero": torch.zeros_like(u),
        }
        for name, v in approximations.items():
            true, accuracy = case.true(v)
            for cycles in CYCLES:
                began = time.process_time()
                ratio = case.bound(v, cycles).value / true
                ms = (time.process_time() - began) / len(u) * 1e3
                quantiles = torch.quantile(ratio, torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0], dtype=ratio.dtype)).tolist()
                names = ("least", "tenth", "median", "nine_tenths", "largest")
                rows.append(
                    {
                        "problem": case.problem,
                        "form": case.form,
                        "contrast": case.contrast,
                        "reaction": case.reaction,
                        "approximation": name,
                        "cycles": cycles,
                        **{key: f"{value:.4f}" for key, value in zip(names, quantiles, strict=True)},
                        "truth": f"{float(accuracy.median()):.2f}",
                        "ms_per_sample": f"{ms:.2f}",
                    }
                )
                print(*rows[-1].values(), sep="\t", flush=True)
    write_table("bound.csv", rows, threads=1)


if __name__ == "__main__":
    main()
