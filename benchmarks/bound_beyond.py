"""How sharp are the bounds beyond diffusion on grids? Effectivity (bound / true error) on meshes, in time, for vectors.

    python benchmarks/bound_beyond.py

Truths: finite elements on nested, finer meshes (mesh, corner, elasticity), implicit Euler (time), polynomials (stokes).
Needs the extra `meshes`. Writes benchmarks/bound_beyond.csv.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skfem
import torch

from machine import write_table
from vcycle.hybrid.elasticity_bound import elasticity_bound
from vcycle.hybrid.halved_cells import repeated
from vcycle.hybrid.mesh_bound import mesh_bound
from vcycle.hybrid.mesh_flux import MeshEquilibrium
from vcycle.hybrid.simplices import Simplices
from vcycle.hybrid.stokes_bound import stokes_bound
from vcycle.hybrid.through_time import rollout_bound
from vcycle.problems import TwoPhase
from vcycle.problems.elasticity import Elasticity
from vcycle.spaces import Domain, GaussianField, conductances, energy

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from references import elastic, p1
from references.heat import implicit_euler
from references.stokes_flow import NU, Flow

Row = tuple[str, str, str, np.ndarray]  # problem, setting, approximation, effectivities


def meshes() -> Iterator[Row]:
    """A square with two random materials and the L-shaped domain: Galerkin solution, 5 % noise, zero."""
    rng = np.random.default_rng(0)
    for name, mesh in (("square", skfem.MeshTri().refined(3)), ("corner", p1.l_shape(3))):
        S = Simplices.of(mesh)
        E, m = MeshEquilibrium(S), len(S.nodes)
        for contrast in (1.0, 10.0, 1000.0) if name == "square" else (1.0,):
            x, y = S.corners.mean(1).T
            a = np.where(np.sin(3 * np.pi * x) * np.sin(3 * np.pi * y) > 0, contrast, 1.0)
            tensors = a[:, None, None] * np.eye(2)
            u, _ = p1.solve(S, tensors, np.zeros(m), np.ones(m))
            v = np.stack([u, u * (1 + 0.05 * rng.standard_normal(len(u))), 0 * u])
            finer, fine_v, fine_a, fine_f = p1.refined(mesh, v, tensors, np.ones(m), 3)
            truth, matrix = p1.solve(Simplices.of(finer), fine_a, 0 * fine_f, fine_f)
            rest = truth - fine_v
            true = np.sqrt(np.einsum("bi,bi->b", rest, (matrix @ rest.T).T))
            for flux, tighten in (("equilibrated", 0), ("equilibrated", 2), ("equilibrated", 8), ("mixed", 0)):
                bound = mesh_bound(v, E, a, flux=flux, tighten=tighten).value
                setting = f"contrast {contrast:g}, {flux}" + (f", tighten {tighten}" if flux != "mixed" else "")
                for approximation, ratio in zip(("solution", "noise 5 %", "zero"), bound / true, strict=True):
                    yield f"mesh {name}", setting, approximation, np.array([ratio])


def rollouts() -> Iterator[Row]:
    """Discrete form after 20 steps, errors of the last state and of all energy: smooth drift, noise, zero."""
    D, n, steps, step = Domain.unit(2), 24, 20, 0.01
    fields = GaussianField(D).sample((n, n), 3, range(8)).double()
    for contrast in (1.0, 12.0 / 3.0, 100.0):
        a = TwoPhase(1.0, contrast).sample(D, (n, n), 5, range(8)).double()
        u = implicit_euler(fields[:, 0], a, torch.ones(8, steps, n, n).double(), step, D)
        later = torch.linspace(0, 1, steps + 1).double().view(1, -1, 1, 1)
        wave = GaussianField(D).sample((n, n), 7, range(8)).double()
        cases = {
            "smooth drift to 5 %": u * (1 + 0.05 * later * wave / wave.std()),
            "noise 5 %": u * (1 + 0.05 * later.sign() * torch.randn_like(u)),
            "zero": u * (later == 0),
        }
        for approximation, v in cases.items():
            bound = rollout_bound(v, a, 1.0, step, D)
            e = u - v
            square = e.square().flatten(2).sum(2) / n**2
            total = square[:, -1] + step * _dissipated(e, a, D)
            yield (
                "time, last state",
                f"contrast {contrast:g}",
                approximation,
                (bound.state / square.sqrt())[:, -1].numpy(),
            )
            yield "time, energy", f"contrast {contrast:g}", approximation, (bound.energy[:, -1] / total.sqrt()).numpy()


def _dissipated(e: torch.Tensor, a: torch.Tensor, domain: Domain) -> torch.Tensor:
    """The sum over the steps of ||a^(1/2) grad e||^2."""
    squares = [energy(conductances(a, domain), w[:, None], domain)[:, 0] for w in e.unbind(1)]
    return torch.stack(squares).sum(0)


def bodies() -> Iterator[Row]:
    """Elastic bodies clamped at one side or all around, under their weight or a traction."""
    beam = [("dirichlet", "neumann"), "neumann"]
    for name, boundary, load in (
        ("beam", beam, "gravity"),
        ("clamped", "dirichlet", "gravity"),
        ("pulled", beam, "traction"),
    ):
        for contrast in (1.0, 10.0, 100.0):
            problem = Elasticity(domain=Domain.unit(2, boundary), prior=TwoPhase(1.0, contrast), force=load)
            E, nu = problem.sample((16, 16), 3, range(4)), problem.poisson_ratio
            u = problem.solve(E).value
            lame, shear = E.double() * nu / ((1 + nu) * (1 - 2 * nu)), E.double() / (2 * (1 + nu))
            force, traction = problem.forcing(E), problem.traction
            cases = {"solution": u, "noise 5 %": u * (1 + 0.05 * torch.randn_like(u)), "zero": 0 * u}
            bounds = {
                key: elasticity_bound(v, lame, shear, force, problem.domain, traction) for key, v in cases.items()
            }
            ratios = {key: [] for key in cases}
            for i in range(len(E)):
                data = [repeated(x[i : i + 1])[0].numpy() for x in (lame, shear, force)]
                fields = [bound.field[i].numpy() for bound in bounds.values()]
                *true, _ = elastic.energy_errors(fields, data[0][0], data[1][0], data[2], problem.domain, 3, traction)
                for (key, bound), error in zip(bounds.items(), true, strict=True):
                    ratios[key].append(float(bound.value[i]) / error)
            for key, values in ratios.items():
                yield f"elasticity, {name}", f"contrast {contrast:g}", key, np.array(values)


def flows() -> Iterator[Row]:
    """Polynomial flows in rectangles, with and without a large gradient in the force."""
    for length in (1.0, 3.0):
        for size in (0.0, 1.0):
            flow = Flow(length, size)
            u, p, f, off = flow.cells((round(32 * length), 32))
            v = torch.cat([u, u * (1 + 0.05 * torch.randn_like(u)), 0 * u])
            rest = [part.expand(3, -1, -1, -1) for part in (p, f)]
            bound = stokes_bound(v, *rest, NU, flow.domain, oscillation=off.expand(3, -1, -1, -1))
            for key, ratio in zip(
                ("solution", "noise 5 %", "zero"), bound.value / flow.error(bound.field), strict=True
            ):
                yield "stokes", f"{length:g} x 1, pressure {size:g}", key, np.array([float(ratio)])


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = []
    for cases in (meshes, rollouts, bodies, flows):
        for problem, setting, approximation, ratios in cases():
            rows.append(
                {
                    "problem": problem,
                    "setting": setting,
                    "approximation": approximation,
                    "least": f"{ratios.min():.4f}",
                    "median": f"{np.median(ratios):.4f}",
                    "largest": f"{ratios.max():.4f}",
                }
            )
            print(*rows[-1].values(), sep="\t", flush=True)
    write_table("bound_beyond.csv", rows, threads=1)


if __name__ == "__main__":
    main()
