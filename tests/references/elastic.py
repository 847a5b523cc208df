"""Multilinear finite elements of elasticity on nested grids, by scikit-fem: the truth for bounds of elastic energy."""

import numpy as np
import scipy.interpolate
import scipy.sparse as sp
import skfem
from skfem.helpers import ddot, dot, sym_grad, trace

from vcycle.solvers import solve_direct


def energy_errors(fields, lame, shear, force, domain, finer, traction=None):
    """|||U - v||| for v with vertex values (d, *points), U the solution on cells `finer` times as fine, and |||U|||.

    lame, shear (*cells) and force (d, *cells) on the cells of v, traction (d,) on the high face of the first axis. U is
    the projection of u onto functions that contain v, so that each number is at most |||u - v|||.
    """
    d, n = lame.ndim, lame.shape
    ends = [np.linspace(*extent, m + 1) for extent, m in zip(domain.extents, n, strict=True)]
    fine = [np.linspace(*extent, m * finer + 1) for extent, m in zip(domain.extents, n, strict=True)]
    mesh = (skfem.MeshQuad if d == 2 else skfem.MeshHex).init_tensor(*fine)
    element = skfem.ElementQuad1() if d == 2 else skfem.ElementHex1()
    basis = skfem.Basis(mesh, skfem.ElementVector(element))
    middle = mesh.p[:, mesh.t].mean(1)
    cell = tuple(np.searchsorted(e, x) - 1 for e, x in zip(ends, middle, strict=True))
    lam, mu, f = lame[cell][:, None], shear[cell][:, None], force[(slice(None), *cell)][:, :, None]

    @skfem.BilinearForm
    def stiffness(u, v, w):
        return lam * trace(sym_grad(u)) * trace(sym_grad(v)) + 2 * mu * ddot(sym_grad(u), sym_grad(v))

    matrix = stiffness.assemble(basis)
    load = skfem.LinearForm(lambda v, w: dot(np.broadcast_to(f, np.shape(v)), v)).assemble(basis)
    if traction is not None:
        face = skfem.FacetBasis(
            mesh, basis.elem, facets=mesh.facets_satisfying(lambda x: np.isclose(x[0], ends[0][-1]))
        )
        pull = skfem.LinearForm(lambda v, w: sum(t * part for t, part in zip(traction, v, strict=True)))
        load += pull.assemble(face)
    held = np.zeros(mesh.p.shape[1], bool)
    for axis, faces in enumerate(domain.boundary):
        for end, condition in zip(domain.extents[axis], faces, strict=True):
            if condition == "dirichlet":
                held |= np.isclose(mesh.p[axis], end)
    free = np.setdiff1d(np.arange(basis.N), basis.nodal_dofs[:, held].ravel())
    truth = np.zeros(basis.N)
    truth[free] = solve_direct(sp.csc_array(matrix[free][:, free]), load[free])
    errors = []
    for field in [*fields, 0 * fields[0]]:
        v = np.zeros(basis.N)
        for component, values in enumerate(field):
            v[basis.nodal_dofs[component]] = scipy.interpolate.RegularGridInterpolator(ends, values)(mesh.p.T)
        errors.append(float(np.sqrt(max((truth - v) @ (matrix @ (truth - v)), 0.0))))
    return errors
