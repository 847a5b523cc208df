"""Bounds on meshes hold for any function: polynomial solutions, interfaces, a singular corner; exact equilibrium."""

from itertools import pairwise

import numpy as np
import pytest
import skfem

from references import p1
from vcycle.hybrid.mesh_bound import mesh_bound
from vcycle.hybrid.mesh_flux import MeshEquilibrium
from vcycle.hybrid.mesh_source import MeshSource
from vcycle.hybrid.simplices import Simplices

FLUXES = ({"tighten": 0}, {"tighten": 3}, {"flux": "mixed"})


def distorted(d, times):
    """The unit square or cube, its inner points moved."""
    mesh = (skfem.MeshTri() if d == 2 else skfem.MeshTet()).refined(times)
    inner = np.setdiff1d(np.arange(mesh.p.shape[1]), mesh.boundary_nodes())
    points = mesh.p.copy()
    points[:, inner] += np.random.default_rng(d).uniform(-0.15, 0.15, (d, len(inner))) * 2.0**-times
    return type(mesh)(points, mesh.t)


def functions(exact, mesh, held, seed=0):
    """The interpolant, zero, noise, the interpolant with 5 % noise; all with u's values on the points held."""
    noise = np.random.default_rng(seed).standard_normal((2, mesh.p.shape[1]))
    u = exact(mesh.p)
    out = np.stack([u, 0 * u, noise[0], u * (1 + 0.05 * noise[1])])
    out[:, held] = u[held]
    return out


def bubble(x):
    """x (1 - x) y (1 - y), in three dimensions with no flow along z."""
    return x[0] * (1 - x[0]) * x[1] * (1 - x[1])


def bubble_gradient(x):
    p, slopes = x * (1 - x), 1 - 2 * x
    return np.stack([slopes[0] * p[1], p[0] * slopes[1], *(0 * x[2:])])


def bubble_source(A, c):
    """-div(A grad u) + c u."""

    def f(x):
        p, slopes = x * (1 - x), 1 - 2 * x
        return c * p[0] * p[1] + 2 * A[0, 0] * p[1] + 2 * A[1, 1] * p[0] - 2 * A[0, 1] * slopes[0] * slopes[1]

    return f


def walls(x):
    return (np.abs(x[:2] - 0.5) > 0.5 - 1e-9).any(0)


@pytest.mark.parametrize("c", [0.0, 1.0, 1e4])
@pytest.mark.parametrize(("d", "times"), [(2, 2), (2, 3), (3, 1), (3, 2)])
def test_bounds_the_error_to_a_polynomial_solution_with_tensor_and_reaction(d, times, c):
    A = np.array([[3.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])[:d, :d]
    mesh = distorted(d, times)
    S = Simplices.of(mesh, walls)
    m = len(S.nodes)
    tensors, reaction = np.broadcast_to(A, (1, m, d, d)), np.full(m, c)
    source = MeshSource.of(bubble_source(A, c), mesh)
    v = functions(bubble, mesh, p1.held(S))
    true = [p1.energy_error(mesh, w, bubble, bubble_gradient, tensors[0], reaction, 8) for w in v]
    size = p1.energy_error(mesh, 0 * v[0], bubble, bubble_gradient, tensors[0], reaction, 8)
    for options in FLUXES:
        bound = mesh_bound(v, MeshEquilibrium(S), tensors, source, reaction, **options)
        assert (bound.value >= np.array(true)).all()
        assert (bound.least <= size * (1 + 1e-12)).all()
        if options == {"flux": "mixed"}:
            assert (bound.value <= 2.5 * np.array(true)).all(), bound.value / true


@pytest.mark.parametrize("contrast", [1e-3, 10.0, 1e6])
def test_bounds_the_error_across_an_interface_with_neumann_faces(contrast):
    """-(a u')' = 1, a = 1 then `contrast` from x = 1/2, u(0) = u(1) = 0, no flow in y: u is quadratic in x."""
    mesh = skfem.MeshTri().refined(3)
    S = Simplices.of(mesh, lambda x: np.abs(x[0] - 0.5) > 0.5 - 1e-9)
    a = np.where(mesh.p[0, mesh.t].mean(0) < 0.5, 1.0, contrast)
    start = (0.375 / contrast + 0.125) / (0.5 + 0.5 / contrast)  # the flux at x = 0

    def exact(x):
        left, middle = start * x[0] - x[0] ** 2 / 2, start / 2 - 1 / 8
        right = middle + (start * (x[0] - 0.5) - (x[0] ** 2 - 0.25) / 2) / contrast
        return np.where(x[0] < 0.5, left, right)

    def gradient(x):
        return np.stack([(start - x[0]) / np.where(x[0] < 0.5, 1.0, contrast), 0 * x[0]])

    assert abs(exact(np.array([[1.0], [0.0]])))[0] < 1e-12 * max(1, 1 / contrast)
    v = functions(exact, mesh, p1.held(S))
    v[:, p1.held(S)] = 0
    tensors = a[:, None, None] * np.eye(2)
    true = np.array([p1.energy_error(mesh, w, exact, gradient, tensors, 0 * a, 4) for w in v])
    for options in FLUXES:
        bound = mesh_bound(v, MeshEquilibrium(S), a, 1.0, **options)
        assert (bound.value >= true).all()
    assert (bound.value <= 1.5 * true).all(), bound.value / true


def test_is_of_first_order_where_the_solution_is_smooth():
    values = []
    for times in (2, 3, 4, 5):
        mesh = distorted(2, times)
        source = MeshSource.of(bubble_source(np.eye(2), 0.0), mesh)
        bound = mesh_bound(bubble(mesh.p)[None], MeshEquilibrium(Simplices.of(mesh)), 1.0, source)
        values.append(float(bound.value[0]))
    rates = np.log2(np.array(values[:-1]) / values[1:])
    assert (abs(rates[1:] - 1) < 0.1).all(), rates


def test_holds_at_a_reentrant_corner_at_the_order_of_the_singularity():
    """The truth is a Galerkin solution on a mesh that contains v: never further from v than u is. Order 2/3."""
    values = []
    for times in (2, 3, 4):
        mesh = p1.l_shape(times)
        S = Simplices.of(mesh)
        a = np.ones((len(S.nodes), 1, 1)) * np.eye(2)
        u, _ = p1.solve(S, a, 0 * a[:, 0, 0], a[:, 0, 0])
        v = functions(lambda x, u=u: u, mesh, p1.held(S))
        finer, fine_v, fine_a, fine_f = p1.refined(mesh, v, a, a[:, 0, 0], 5 - times)
        truth, matrix = p1.solve(Simplices.of(finer), fine_a, 0 * fine_f, fine_f)
        rest = truth - fine_v
        true = np.sqrt(np.einsum("bi,bi->b", rest, (matrix @ rest.T).T))
        bound = mesh_bound(v, MeshEquilibrium(S)).value
        assert (bound >= true).all()
        values.append(bound[0])
        if times < 4:  # where the mesh of the truth is fine enough to speak of an effectivity
            assert (bound <= 1.6 * true).all(), bound / true
    rates = np.log2(np.array(values[:-1]) / values[1:])
    assert ((rates > 0.6) & (rates < 1.0)).all(), rates


def random_data(mesh, contrast, samples=3):
    rng, m = np.random.default_rng(1), mesh.nelements
    a = np.where(rng.random((samples, m)) < 0.5, 1.0, contrast)
    return a, rng.standard_normal((samples, m)), rng


def test_tightening_never_raises_the_bound_and_ends_at_the_mixed_flux():
    mesh = distorted(2, 3)
    S = Simplices.of(mesh)
    a, f, rng = random_data(mesh, 100.0)
    v = rng.standard_normal((3, mesh.p.shape[1]))
    v[:, p1.held(S)] = 0
    E = MeshEquilibrium(S)
    values = [mesh_bound(v, E, a, f, tighten=k).value for k in (0, 1, 2, 5, 200)]
    assert all((later <= earlier * (1 + 1e-12)).all() for earlier, later in pairwise(values))
    np.testing.assert_allclose(values[-1], mesh_bound(v, E, a, f, flux="mixed").value, rtol=1e-9)


@pytest.mark.parametrize("d", [2, 3])
def test_equilibrium_means_equal_flows_from_both_sides_of_every_face_and_none_through_neumann_faces(d):
    mesh = distorted(d, 1)
    S = Simplices.of(mesh, lambda x: x[0] < 1e-9)
    rng = np.random.default_rng(0)
    load = rng.standard_normal((1, len(S.nodes)))
    g = MeshEquilibrium(S).project(rng.standard_normal((1, len(S.nodes), d)), load)
    s = -load / d
    normals = -d * S.volumes[:, None, None] * S.gradients
    q = g[:, :, None] + s[:, :, None, None] * (S.face_centres - S.corners.mean(1, keepdims=True))
    flows = np.einsum("bmji,mji->bmj", q, normals)
    np.testing.assert_allclose(flows.sum(2), -load * S.volumes, atol=1e-13)
    total = np.bincount(S.faces.ravel(), flows.ravel())
    np.testing.assert_allclose(total[~S.given], 0, atol=1e-13)


def test_the_mixed_flux_is_robust_where_the_reaction_rules():
    """Relative to the true error of zero, here the energy norm of u itself, whatever c is."""
    mesh = distorted(2, 4)
    S = Simplices.of(mesh)
    for c in (1.0, 1e2, 1e4, 1e6):
        source = MeshSource.of(bubble_source(np.eye(2), c), mesh)
        a, reaction = np.ones((len(S.nodes), 1, 1)) * np.eye(2), np.full(len(S.nodes), c)
        v = functions(bubble, mesh, p1.held(S))
        true = [p1.energy_error(mesh, w, bubble, bubble_gradient, a, reaction, 8) for w in v]
        bound = mesh_bound(v, MeshEquilibrium(S), 1.0, source, c, flux="mixed").value
        assert (bound[1:] <= 1.1 * np.array(true[1:])).all(), bound / true


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"v": np.zeros((1, 3))}, "a number per point"),
        ({"coefficient": -1.0}, "must be symmetric and positive"),
        ({"coefficient": np.ones((2, 5))}, "the coefficient must be a number"),
        ({"reaction": -1.0}, "must not be negative"),
        ({"source": np.ones(5)}, "the source must be a number"),
    ],
)
def test_says_what_does_not_fit(change, words):
    mesh = skfem.MeshTri()
    given = {"v": np.zeros((1, 4)), "equilibrium": MeshEquilibrium(Simplices.of(mesh)), **change}
    with pytest.raises(ValueError, match=words):
        mesh_bound(**given)


def test_refuses_meshes_that_it_has_no_theorem_for():
    with pytest.raises(ValueError, match="straight triangles or tetrahedra"):
        Simplices.of(skfem.MeshQuad())
    floating = MeshEquilibrium(Simplices.of(skfem.MeshTri(), lambda x: x[0] > 2))
    with pytest.raises(ValueError, match="no face has u given"):
        mesh_bound(np.zeros((1, 4)), floating)
