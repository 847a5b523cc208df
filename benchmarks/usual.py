"""What do labels cost against the script that people write? Elliptic problems, a scikit-fem script per sample.

    python benchmarks/usual.py [--points 64 128]

The script is that of scikit-fem's own examples: bilinear elements on the same cells, the coefficients constant in each,
`asm`, `condense` and `solve` (SuperLU in the order that SciPy chooses by itself), and Newton's method from the linear
problem's solution where the equation is not linear. Not the best that SciPy can do: against SuperLU in a better order,
on matrices assembled more cleverly, see benchmarks/catalogue.py. Both to a relative residual of 1e-10, one thread, the
least of three rounds in turns, freed memory kept for both. Its nodes are the corners of the cells and ours their
centres, so `difference` (relative L2, in the centres) is what two discretisations differ by, and falls with the cells.
Writes benchmarks/usual.csv.
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch
from skfem import Basis, BilinearForm, ElementQuad1, ElementVector, LinearForm, MeshQuad, asm, condense, solve
from skfem.helpers import ddot, dot, grad, sym_grad, trace

from machine import write_table
from timing import Timed, in_turns
from vcycle.problems import (
    AnisotropicDarcy,
    Darcy,
    Elasticity,
    ImplicitHeat,
    MinimalSurface,
    PLaplacian,
    Poisson,
    SemilinearElliptic,
    Stationary,
)
from vcycle.problems.variational import Variational
from vcycle.spaces import L2, kept_memory

PROBLEMS = (
    Darcy(),
    Poisson(),
    ImplicitHeat(),
    AnisotropicDarcy(),
    Elasticity(),
    PLaplacian(),
    MinimalSurface(),
    SemilinearElliptic(),
)
BATCH, SCRIPTS, ROUNDS, TOLERANCE, NEWTON = 16, 2, 3, 1e-10, 50
FACES = (("left", "right"), ("bottom", "top"))
Values = np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", nargs="+", type=int, default=[64, 128])
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for problem in PROBLEMS:
        for n in given.points:
            rows.append(compare(problem, n))
            print(*rows[-1].values(), sep="\t", flush=True)
    write_table("usual.csv", rows, threads=1)


@kept_memory()
def compare(problem: Stationary, n: int) -> dict[str, object]:
    inputs = problem.sample((n, n), 5, range(BATCH))
    few = inputs[:SCRIPTS].double().numpy()
    ours = Timed(lambda: problem.solve(inputs, tolerance=TOLERANCE).value, BATCH)
    theirs = Timed(lambda: torch.from_numpy(np.stack([script(problem, one) for one in few])), SCRIPTS)
    in_turns([ours, theirs], ROUNDS)
    difference = L2(problem.domain).relative(theirs.result, ours.result[:SCRIPTS])
    return {
        "problem": problem.name,
        "points": n,
        "ms_per_sample": f"{ours.milliseconds:.2f}",
        "script_ms_per_sample": f"{theirs.milliseconds:.0f}",
        "ratio": f"{theirs.milliseconds / ours.milliseconds:.1f}",
        "difference": f"{float(difference.max()):.1e}",
    }


def script(problem: Stationary, fields: Values) -> Values:
    """The solution in the centres of the cells, (channels, n, n), of one sample of inputs (channels, n, n)."""
    line = np.linspace(0, 1, fields.shape[-1] + 1)
    mesh = MeshQuad.init_tensor(line, line).with_defaults()
    scalar = ElementQuad1()
    basis = Basis(mesh, ElementVector(scalar) if isinstance(problem, Elasticity) else scalar, intorder=2)
    cells = tuple((mesh.p[:, mesh.t].mean(1) * fields.shape[-1]).astype(int))
    faces = [
        FACES[axis][side] for axis in (0, 1) for side in (0, 1) if problem.domain.boundary[axis][side] == "dirichlet"
    ]
    fixed = basis.get_dofs(faces).flatten()
    inside = [field[cells][:, None] for field in fields]
    if isinstance(problem, Variational):
        u = newton(problem, basis, inside, fields, fixed)
    else:
        u = linear(problem, basis, inside, fixed)
    out = np.empty_like(fields, shape=(len(problem.output_names), *fields.shape[1:]))
    for channel in range(len(out)):
        nodes = basis.nodal_dofs[channel]
        out[channel][cells] = u[nodes][mesh.t].mean(0)
    return out


def linear(problem: Stationary, basis: Basis, inside: list[Values], fixed: Values) -> Values:
    if isinstance(problem, Elasticity):
        nu = problem.poisson_ratio

        @BilinearForm
        def energy(u, v, w):
            strain, virtual = sym_grad(u), sym_grad(v)
            mu, lame = w.E / (2 * (1 + nu)), w.E * nu / ((1 + nu) * (1 - 2 * nu))
            return 2 * mu * ddot(strain, virtual) + lame * trace(strain) * trace(virtual)

        weight = LinearForm(lambda v, w: -v[1])
        return solve(*condense(asm(energy, basis, E=inside[0]), asm(weight, basis), D=fixed))
    if isinstance(problem, AnisotropicDarcy):
        xx, xy, yy = inside
    else:
        xx = yy = np.ones_like(inside[0]) if isinstance(problem, Poisson) else inside[0]
        xy = np.zeros_like(xx)
    f, c = inside[0] if isinstance(problem, Poisson) else np.ones_like(xx), np.zeros_like(xx)
    if isinstance(problem, ImplicitHeat):
        f, c = inside[1] / problem.step, np.ones_like(xx) / problem.step

    @BilinearForm
    def flow(u, v, w):
        p, q = grad(u), grad(v)
        return w.xx * p[0] * q[0] + w.xy * (p[0] * q[1] + p[1] * q[0]) + w.yy * p[1] * q[1] + w.c * u * v

    source = LinearForm(lambda v, w: w.f * v)
    return solve(*condense(asm(flow, basis, xx=xx, xy=xy, yy=yy, c=c), asm(source, basis, f=f), D=fixed))


def newton(problem: Variational, basis: Basis, inside: list[Values], fields: Values, fixed: Values) -> Values:
    """Undamped, from the solution for D = 1 and V = 0, until the residual is small beside the first."""
    one = np.ones_like(inside[0])
    a, c, f = inside[0] if isinstance(problem, PLaplacian) else one, 0 * one, one
    if isinstance(problem, SemilinearElliptic):
        c, f = inside
    u = basis.zeros()
    if isinstance(problem, MinimalSurface):
        f, u[fixed] = 0 * one, corners(fields[0])[tuple((basis.doflocs[:, fixed] * fields.shape[-1]).astype(int))]

    def of(function: Callable[[torch.Tensor], torch.Tensor], values: Values) -> Values:
        return function(torch.from_numpy(np.asarray(values))).numpy()

    @BilinearForm
    def tangent(u, v, w):
        p = grad(w["now"])
        s = dot(p, p)
        along = 2 * of(problem.diffusivity_slope, s) * dot(p, grad(u)) * dot(p, grad(v))
        return (
            w.a * (of(problem.diffusivity, s) * dot(grad(u), grad(v)) + along)
            + w.c * of(problem.reaction_slope, w["now"]) * u * v
        )

    @LinearForm
    def rest(v, w):
        p = grad(w["now"])
        return (
            w.f * v
            - w.a * of(problem.diffusivity, dot(p, p)) * dot(p, grad(v))
            - w.c * of(problem.reaction, w["now"]) * v
        )

    flow = BilinearForm(lambda u, v, w: w.a * dot(grad(u), grad(v)))
    source = LinearForm(lambda v, w: w.f * v)
    u = solve(*condense(asm(flow, basis, a=a), asm(source, basis, f=f), x=u, D=fixed))
    free, first = basis.complement_dofs(fixed), None
    for _ in range(NEWTON):
        now = basis.interpolate(u)
        residual = asm(rest, basis, now=now, a=a, c=c, f=f)
        size = float(np.linalg.norm(residual[free]))
        first = size if first is None else first
        if size <= TOLERANCE * first:
            return u
        u = u + solve(*condense(asm(tangent, basis, now=now, a=a, c=c), residual, D=fixed))
    raise ValueError(f"{problem.name}: the script did not converge in {NEWTON} steps: damp it")


def corners(g: Values) -> Values:
    """From the centres of cells to their corners, linearly: beyond the faces the field goes on with its slope."""
    for axis in (0, 1):
        g = np.moveaxis(g, axis, 0)
        g = np.concatenate([2 * g[:1] - g[1:2], g, 2 * g[-1:] - g[-2:-1]])
        g = np.moveaxis((g[1:] + g[:-1]) / 2, 0, axis)
    return g


if __name__ == "__main__":
    main()
