"""Piecewise linear finite elements and exact errors on simplices, by scikit-fem: the truth for bounds on meshes."""

import numpy as np
import scipy.sparse as sp
import skfem

from vcycle.solvers import solve_direct


def solve(simplices, a, c, f):
    """The Galerkin solution for data constant on simplices (tensors a), u = 0 where given, and its matrix."""
    S, d = simplices, simplices.dimension
    local = np.einsum("m,mji,mil,mkl->mjk", S.volumes, S.gradients, a, S.gradients)
    local = local + (c * S.volumes)[:, None, None] * (np.eye(d + 1) + 1) / ((d + 1) * (d + 2))
    rows, columns = np.broadcast_arrays(S.nodes[:, :, None], S.nodes[:, None])
    matrix = sp.csr_array((local.ravel(), (rows.ravel(), columns.ravel())), shape=(len(S.points),) * 2)
    load = np.bincount(S.nodes.ravel(), np.repeat(f * S.volumes / (d + 1), d + 1), len(S.points))
    free = np.setdiff1d(np.arange(len(load)), held(S))
    u = np.zeros(len(load))
    u[free] = solve_direct(sp.csc_array(matrix[free][:, free]), load[free])
    return u, matrix


def held(simplices):
    """The points of the faces on which u is given."""
    S = simplices
    opposite = S.given[S.faces]
    nodes = np.broadcast_to(S.nodes[:, None], (*S.nodes.shape, S.nodes.shape[1]))
    others = ~np.eye(S.nodes.shape[1], dtype=bool)
    return np.unique(nodes[opposite[:, :, None] & others])


def energy_error(mesh, v, exact, gradient, a, c, degree):
    """|||u - v||| by quadrature of this degree; a (m, d, d) and c (m,), exact and gradient functions of points."""
    element = skfem.ElementTriP1() if mesh.p.shape[0] == 2 else skfem.ElementTetP1()
    basis = skfem.Basis(mesh, element, intorder=degree)
    x, field = np.asarray(basis.global_coordinates()), basis.interpolate(v)
    slope, rest = gradient(x) - field.grad, exact(x) - np.asarray(field)
    density = np.einsum("imq,mij,jmq->mq", slope, a, slope) + c[:, None] * rest**2
    return float(np.sqrt((density * basis.dx).sum()))


def refined(mesh, v, a, f, times):
    """The same functions on a mesh whose triangles are split in four, `times` times: (mesh, v, a, f)."""
    for _ in range(times):
        finer = mesh.refined()
        v = np.concatenate([v, v[:, mesh.facets].mean(1)], 1)
        np.testing.assert_allclose(finer.p, np.concatenate([mesh.p, mesh.p[:, mesh.facets].mean(1)], 1))
        mesh, a, f = finer, np.concatenate([a] * 4), np.concatenate([f] * 4)
    return mesh, v, a, f


def l_shape(times):
    """The L-shaped domain (-1, 1)^2 without its quarter x > 0, y < 0."""
    points = np.array([[-1, -1], [0, -1], [-1, 0], [0, 0], [1, 0], [-1, 1], [0, 1], [1, 1]], float)
    triangles = np.array([[0, 1, 3], [0, 3, 2], [2, 3, 6], [2, 6, 5], [3, 4, 7], [3, 7, 6]])
    return skfem.MeshTri(points.T.copy(), triangles.T.copy()).refined(times)
