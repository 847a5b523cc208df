"""Do calibrated bounds cover what they say, how large are they, and when do they fail?

    python benchmarks/conformal.py [--splits 200] [--calibration 100] [--steps 250] [--members 3]

Five problems, small FNOs, 512 labels to train on and 64 to fix scales. A pool of 800 labels that no network has seen is
split at random into calibration and test, `splits` times, and coverage and size of the bounds are averaged over these:
of one network, of an ensemble, and of samples from the sparse posterior (SSVI) around the one network.
Conditional coverage is that of the inputs in the lower, middle and upper third of a difficulty; shifted inputs come
from the same problem with a parameter changed.
Writes benchmarks/conformal.csv, conformal_conditional.csv and conformal_shift.csv.
"""

import argparse
import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from machine import write_table
from vcycle.hybrid.conformal import p_value, quantile
from vcycle.networks import FNO, Normalised
from vcycle.problems import AdvectionDiffusion, Burgers, Darcy, Helmholtz, LogNormal, Poisson, Problem, TwoPhase
from vcycle.spaces import H1, L2
from vcycle.surrogate import Answer, Calibration, Ensemble, Scale, Surrogate
from vcycle.surrogate.calibration import FAR
from vcycle.training import FieldStream, Variational, fit_posterior, l2

TRAIN, REFERENCE, POOL, SHIFTED, BATCH, DRAWN = 512, 64, 800, 200, 16, 8
LEVELS = (0.8, 0.9, 0.95)
DARCY, POISSON, BURGERS = Darcy(), Poisson(), Burgers()
ADVECTION, HELMHOLTZ = AdvectionDiffusion(), Helmholtz(omega=8.0)


@dataclass(frozen=True)
class Case:
    """A problem, the grid, and the same problem with a parameter changed."""

    problem: Problem
    shape: tuple[int, ...]
    shifts: dict[str, Problem]


CASES = (
    Case(DARCY, (16, 16), {"contrast 4 -> 20": Darcy(prior=TwoPhase(1.0, 20.0))}),
    Case(POISSON, (16, 16), {"alpha 1.5 -> 3": Poisson(alpha=3.0)}),
    Case(
        BURGERS,
        (64,),
        {"amplitude 0.5 -> 1": Burgers(amplitude=1.0), "viscosity 0.01 -> 0.003": Burgers(viscosity=0.003)},
    ),
    Case(ADVECTION, (64,), {"alpha 2 -> 1": replace(ADVECTION, alpha=1.0)}),
    Case(HELMHOLTZ, (16, 16), {"sigma 0.2 -> 0.4": replace(HELMHOLTZ, prior=LogNormal(sigma=0.4))}),
)


@dataclass(frozen=True)
class Method:
    """Scores and sizes of a pool: `relative` is the difficulty over ||u||, `scale` the mean scale over the rms of u."""

    name: str
    calibration: Calibration
    relative: Tensor
    scale: Tensor


def labelled(problem: Problem, shape: tuple[int, ...], seed: int, count: int) -> tuple[Tensor, Tensor]:
    a = problem.sample(shape, seed, range(count))
    return a, problem.solve(a).value


def trained(problem: Problem, a: Tensor, u: Tensor, steps: int, seed: int) -> Normalised:
    torch.manual_seed(seed)
    domain = problem.domain
    width, modes = (24, 16) if domain.dimension == 1 else (12, 8)
    bare = FNO(a.shape[1], u.shape[1], domain=domain, width=width, depth=3, modes=modes)
    network = Normalised.fit(bare, a.float(), u.float())
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    stream = FieldStream(a.float(), u.float(), BATCH, seed)
    for step in range(steps):
        batch = stream(step)
        loss = L2(domain).relative(network(batch.inputs), batch.targets).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def surrogate(problem: Problem, network: nn.Module) -> Surrogate:
    return Surrogate(network, problem.domain, problem.input_names, problem.output_names, problem=problem)


def scored(name: str, s: Surrogate, scale: Scale, reference: tuple, pool: tuple) -> Method:
    """The scores of the whole pool."""
    answer = s.answer(pool[0])
    c = Calibration.fit(s.answer(reference[0]), reference[1], answer, pool[1], s.domain, scale=scale)
    norm = L2(s.domain)
    size = pool[1].square().flatten(1).mean(1).sqrt()
    scaled = c.scaled(answer).expand(pool[1].shape).flatten(1).mean(1) / size
    return Method(name, c, c.difficulty(answer, norm, s.domain, "cell") / norm(pool[1]), scaled)


def permutations(splits: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(7)
    return [torch.randperm(POOL, generator=generator) for _ in range(splits)]


def covered(method: Method, level: float, n: int, splits: list[Tensor]) -> dict[str, object]:
    """Coverage and size, averaged over splits of the pool."""
    found: dict[str, list[float]] = {"l2": [], "band": [], "bound": [], "width": []}
    sizes = {"l2": ("bound", method.relative), "band": ("width", method.scale)}
    for order in splits:
        for score, (size, unit) in sizes.items():
            s = method.calibration.scores[score]
            q = quantile(s[order[:n]], level)
            found[score].append(float((s[order[n:]] <= q).double().mean()))
            found[size].append(q * float(unit[order[n:]].mean()))
    mean = {name: sum(values) / len(values) for name, values in found.items()}
    return {
        "coverage_l2": f"{mean['l2']:.4f}",
        "coverage_band": f"{mean['band']:.4f}",
        "l2_bound_over_norm": f"{mean['bound']:.4f}",
        "half_width_over_rms": f"{mean['width']:.4f}",
    }


def conditional(method: Method, s: Surrogate, pool: tuple, n: int, splits: list[Tensor]) -> list[dict[str, object]]:
    """Coverage at 90 % of the L2 bound and of the band in the thirds of three difficulties."""
    difficulties = {
        "gradient of the input": H1(s.domain)(pool[0] - pool[0].mean([*range(2, pool[0].ndim)], keepdim=True)),
        "size of the solution": L2(s.domain)(pool[1]),
        "distance of the input": method.calibration.scores["distance"],
    }
    rows = []
    for name, difficulty in difficulties.items():
        third = torch.argsort(torch.argsort(difficulty)) * 3 // POOL
        for score in ("l2", "band"):
            scores = method.calibration.scores[score]
            shares = []
            for order in splits:
                held, where = scores[order[n:]] <= quantile(scores[order[:n]], 0.9), third[order[n:]]
                shares.append([float(held[where == k].double().mean()) for k in range(3)])
            mean = torch.tensor(shares).mean(0).tolist()
            thirds = {k: f"{value:.4f}" for k, value in zip(("low", "middle", "high"), mean, strict=True)}
            rows.append({"method": method.name, "bound": score, "difficulty": name, **thirds})
    return rows


def shifted(method: Method, s: Surrogate, pairs: tuple, n: int, splits: list[Tensor]) -> dict[str, object]:
    """Coverage at 90 % and rate of the warning on other inputs, averaged over calibration sets."""
    answer, c = s.answer(pairs[0]), method.calibration
    other = Calibration.fit(Answer(answer.inputs, answer.value), answer.value, answer, pairs[1], s.domain)
    distance, own = c.distance(pairs[0]), c.scores["distance"]
    # The scale is that of the calibration, not of the shifted samples.
    error = pairs[1] - answer.value
    band = (error.abs() / c.scaled(answer)).flatten(1).amax(1)
    rows = []
    for order in splits:
        sets = {name: scores[order[:n]] for name, scores in c.scores.items()}
        rows.append(
            [
                float((other.scores["l2"] <= quantile(sets["l2"], 0.9)).double().mean()),
                float((band <= quantile(sets["band"], 0.9)).double().mean()),
                float((p_value(distance, sets["distance"]) <= FAR).double().mean()),
                float((p_value(own[order[n:]], sets["distance"]) <= FAR).double().mean()),
            ]
        )
    names = ("coverage_l2", "coverage_band", "warned", "warned_unshifted")
    return {name: f"{value:.4f}" for name, value in zip(names, torch.tensor(rows).mean(0).tolist(), strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--calibration", type=int, default=100)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--members", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    splits, n = permutations(given.splits), given.calibration
    tables: dict[str, list[dict[str, object]]] = {"conformal": [], "conformal_conditional": [], "conformal_shift": []}
    for case in CASES:
        began = time.process_time()
        problem, name = case.problem, case.problem.name
        a, u = labelled(problem, case.shape, 1, TRAIN)
        reference, pool = labelled(problem, case.shape, 2, REFERENCE), labelled(problem, case.shape, 3, POOL)
        members = [trained(problem, a, u, given.steps, seed) for seed in range(given.members)]
        one, several = surrogate(problem, members[0]), surrogate(problem, Ensemble(members))
        noise = float(L2(problem.domain).relative(one.apply(reference[0]), reference[1]).square().mean().sqrt())
        stream = FieldStream(a.float(), u.float(), BATCH, 99)
        posterior = fit_posterior(members[0], stream, l2(problem.domain), noise, TRAIN, Variational(given.steps))
        drawn = surrogate(problem, Ensemble(posterior.networks(members[0], DRAWN)))
        surrogates = {"one network": one, "ensemble": several, "sparse posterior": drawn}
        methods = [
            scored("one network, one size", one, "channel", reference, pool),
            scored("one network", one, "residual", reference, pool),
            scored("ensemble", several, "spread", reference, pool),
            scored("sparse posterior", drawn, "spread", reference, pool),
        ]
        for method in methods:
            s = surrogates[method.name.split(",")[0]]
            error = float(L2(problem.domain).relative(s.apply(pool[0]), pool[1]).mean())
            for level in LEVELS:
                row = {"problem": name, "method": method.name, "relative_l2_error": f"{error:.4f}", "level": level}
                tables["conformal"].append(row | covered(method, level, n, splits))
                print(*tables["conformal"][-1].values(), sep="\t", flush=True)
        for method in methods[1:]:
            rows = conditional(method, surrogates[method.name], pool, n, splits[:100])
            tables["conformal_conditional"] += [{"problem": name, **row} for row in rows]
        for shift, other in case.shifts.items():
            row = shifted(methods[1], one, labelled(other, case.shape, 4, SHIFTED), n, splits[:100])
            tables["conformal_shift"].append({"problem": name, "shift": shift, **row})
            print(*tables["conformal_shift"][-1].values(), sep="\t", flush=True)
        print(f"{name}: {time.process_time() - began:.0f} s", flush=True)
    for name, rows in tables.items():
        write_table(f"{name}.csv", rows, threads=1)


if __name__ == "__main__":
    main()
