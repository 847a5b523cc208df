"""Elasticity on triangles: exact for polynomials, and the references."""

import json
import math

import numpy as np
import pytest

from references.trajectories import VECTORS
from vcycle.solvers.mesh_elasticity import TriangleMesh, solve_mesh_elasticity

SQUARE = TriangleMesh(
    np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.4, 0.6]]),
    np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]]),
)
YOUNG, NU = 2.0, 0.3
MU, LAME = YOUNG / (2 * (1 + NU)), YOUNG * NU / ((1 + NU) * (1 - 2 * NU))


def test_linear_displacements_are_exact_with_traction_on_free_edges():
    """The patch test: u = (x + 2 y, 3 x - y), clamped to it on the left, its traction elsewhere."""

    def exact(x):
        return np.stack([x[0] + 2 * x[1], 3 * x[0] - x[1]])

    sigma = np.array([[2 * MU, 5 * MU], [5 * MU, -2 * MU]])  # tr eps = 0

    def traction(x):
        normal = np.zeros_like(x)
        for axis in (0, 1):
            normal[axis] = np.isclose(x[axis], 1.0) * 1.0 - np.isclose(x[axis], 0.0)
        return np.einsum("ij,j...->i...", sigma, normal)

    for degree in (1, 2):
        solution = solve_mesh_elasticity(
            SQUARE.refined(1), YOUNG, NU, fixed=lambda x: x[0] < 1e-9, displacement=exact, traction=traction,
            degree=degree,
        )  # fmt: skip
        nodes = SQUARE.refined(1).nodes
        np.testing.assert_allclose(solution.displacement, exact(nodes.T).T, atol=1e-12)
        np.testing.assert_allclose(solution.stress, np.tile([2 * MU, -2 * MU, 5 * MU], (len(nodes), 1)), atol=1e-11)


def test_quadratic_displacements_are_exact_with_quadratic_elements_and_second_order_with_linear_ones():
    """u = (x^2, x y): div u = 3 x, so that -div sigma = -(3 (lambda + mu) + 2 mu, 0)."""

    def exact(x):
        return np.stack([x[0] ** 2, x[0] * x[1]])

    def force(x):
        return np.stack([-(3 * (LAME + MU) + 2 * MU) + 0 * x[0], 0 * x[0]])

    errors = {}
    for degree, times in ((2, 1), (1, 3), (1, 4)):
        mesh = SQUARE.refined(times)
        solution = solve_mesh_elasticity(
            mesh, YOUNG, NU, fixed=lambda x: x[0] < 2, displacement=exact, force=force, degree=degree
        )
        errors[degree, times] = np.sqrt(np.mean((solution.displacement - exact(mesh.nodes.T).T) ** 2))
    assert errors[2, 1] < 1e-13
    assert math.log2(errors[1, 3] / errors[1, 4]) == pytest.approx(2.0, abs=0.2)


def reference(name: str) -> tuple[dict, dict, TriangleMesh]:
    file = VECTORS / f"{name}.npz"
    if not file.exists():
        pytest.skip("reference vectors are not beside this checkout")
    z = np.load(file)
    return json.loads(str(z["config"])), z, TriangleMesh(z["nodes"], z["triangles"].astype(np.int64))


def test_the_bracket_with_a_re_entrant_corner():
    """First order, as its corners allow, on uniform meshes; graded towards them, 4e-4 with 4,000 nodes."""
    about, z, mesh = reference("pde_elasticity_lshape")
    corners = np.array([[0.0, 0.0], [-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 0.0]])
    pull = about["traction"]

    def traction(x):
        return np.stack([np.isclose(x[0], 1.0) * t for t in pull])

    def error(finer: TriangleMesh) -> tuple[float, float]:
        solution = solve_mesh_elasticity(
            finer, about["E"], about["nu"], fixed=lambda x: np.isclose(x[0], -1), traction=traction
        )
        difference = np.abs(solution.displacement[: len(z["u"])] - z["u"]).max() / np.abs(z["u"]).max()
        return difference, abs(solution.work / about["energy_b_dot_u"] - 1)

    coarse, fine = error(mesh), error(mesh.refined(1))
    assert math.log2(coarse[0] / fine[0]) == pytest.approx(1.1, abs=0.2)
    graded = error(mesh.graded(corners))
    assert graded[0] < 5e-4
    assert graded[1] < 5e-5


def test_the_plate_with_a_hole():
    """Second order with both degrees: the hole's edges are straight."""
    about, z, mesh = reference("pde_elasticity_plate_hole_kirsch")
    R, S, mu, kappa = about["R"], about["S"], about["mu"], 3 - 4 * about["nu"]

    def exact(x):
        r, angle = np.hypot(*x), np.arctan2(x[1], x[0])
        cosine, sine = np.cos(2 * angle), np.sin(2 * angle)
        out = (
            S / (8 * mu * r) * ((kappa - 1) * r**2 + 2 * R**2 + 2 * cosine * (r**2 + R**2 * (kappa + 1) - R**4 / r**2))
        )
        around = -S / (4 * mu * r) * sine * (r**2 + R**2 * (kappa - 1) + R**4 / r**2)
        return np.stack([out * np.cos(angle) - around * np.sin(angle), out * np.sin(angle) + around * np.cos(angle)])

    np.testing.assert_allclose(exact(z["nodes"].T).T, z["u"], atol=1e-14)

    def snap(points):
        r = np.hypot(*points.T)[:, None]
        return np.where(r < 2 * R, points * R / r, points)

    errors = {}
    for degree, times in ((1, 0), (1, 1), (2, 0), (2, 1)):
        solution = solve_mesh_elasticity(
            mesh.refined(times, snap), about["E"], about["nu"], degree=degree, displacement=exact,
            fixed=lambda x: np.abs(x).max(0) > 0.99,
        )  # fmt: skip
        n = len(z["u"])
        errors[degree, times] = np.abs(solution.displacement[:n] - z["u"]).max() / np.abs(z["u"]).max()
        stress = np.abs(solution.stress[:n] - z["stress_xx_yy_xy"]).max() / np.abs(z["stress_xx_yy_xy"]).max()
    assert errors[2, 1] < 2e-4
    assert stress < 3e-3
    for degree in (1, 2):
        assert math.log2(errors[degree, 0] / errors[degree, 1]) == pytest.approx(2.0, abs=0.25)


def test_bodies_that_nothing_holds_are_refused():
    with pytest.raises(ValueError, match="rigid motions are undetermined"):
        solve_mesh_elasticity(SQUARE, 1.0, 0.3, fixed=lambda x: x[0] > 5)
    with pytest.raises(ValueError, match="degree 1 or 2"):
        solve_mesh_elasticity(SQUARE, 1.0, 0.3, fixed=lambda x: x[0] < 1e-9, degree=3)
