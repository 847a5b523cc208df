"""Linear elasticity in plane strain on triangle meshes, by scikit-fem: for bodies that are no boxes.

Needs the extra `meshes`; vcycle.solvers does not import this module.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

from vcycle.solvers.direct import solve_direct

try:
    import skfem
    from skfem.helpers import ddot, dot, sym_grad, trace
except ImportError as error:
    raise ImportError("elasticity on meshes needs scikit-fem: pip install 'vcycle[meshes]'") from error

Points = np.ndarray  # (2, ...)
Array = np.ndarray


@dataclass(frozen=True)
class TriangleMesh:
    """Straight triangles: nodes (n, 2) and the three nodes of each triangle (m, 3)."""

    nodes: Float[np.ndarray, "n 2"]
    triangles: Int[np.ndarray, "m 3"]

    def skfem(self) -> skfem.MeshTri:
        """The same for scikit-fem."""
        return skfem.MeshTri(np.ascontiguousarray(self.nodes.T), np.ascontiguousarray(self.triangles.T))

    def refined(self, times: int = 1, snap: Callable[[Array], Array] | None = None) -> "TriangleMesh":
        """Every triangle in four, `times` times; `snap` moves the nodes of the boundary, (n, 2), onto a curve.

        The old nodes keep their numbers.
        """
        mesh = self.skfem()
        for _ in range(times):
            mesh = mesh.refined()
            if snap is not None:
                nodes, edge = mesh.p.T.copy(), mesh.boundary_nodes()
                nodes[edge] = snap(nodes[edge])
                mesh = skfem.MeshTri(np.ascontiguousarray(nodes.T), mesh.t)
        return TriangleMesh(mesh.p.T, mesh.t.T)

    def graded(self, corners: Float[np.ndarray, "c 2"], ratio: float = 0.3, smallest: float = 1e-3) -> "TriangleMesh":
        """Bisected until each triangle is no wider than `ratio` times its distance from the corners, or `smallest`.

        Restores the order of convergence that singularities at the corners take. The old nodes keep their numbers.
        """
        mesh = self.skfem()
        for _ in range(4 * math.ceil(math.log2(np.ptp(self.nodes) / smallest)) + 8):
            points = mesh.p[:, mesh.t]  # (2, 3, m)
            width = np.sqrt(((points - points[:, [1, 2, 0]]) ** 2).sum(0)).max(0)
            middle = points.mean(1)
            distance = np.sqrt(((middle[:, None] - np.asarray(corners).T[:, :, None]) ** 2).sum(0)).min(0)
            wide = np.flatnonzero(width > np.maximum(ratio * distance, smallest))
            if not wide.size:
                break
            mesh = mesh.refined(wide)
        return TriangleMesh(mesh.p.T, mesh.t.T)


@dataclass(frozen=True)
class MeshElasticity:
    """displacement (n, 2) and stress (n, 3) with columns xx, yy, xy at the nodes; work is the load times u."""

    displacement: Float[np.ndarray, "n 2"]
    stress: Float[np.ndarray, "n 3"]
    work: float


def solve_mesh_elasticity(
    mesh: TriangleMesh,
    young: float | Float[np.ndarray, " m"],
    poisson_ratio: float,
    *,
    fixed: Callable[[Points], Array],
    displacement: Callable[[Points], Array] | None = None,
    traction: Callable[[Points], Array] | None = None,
    force: Callable[[Points], Array] | None = None,
    degree: int = 2,
) -> MeshElasticity:
    """-div sigma = f, sigma = lambda tr(eps) I + 2 mu eps in plane strain, by elements of degree 1 or 2.

    fixed         of the middles (2, k) of edges: which edges of the boundary have u given
    displacement  u (2, ...) at points (2, ...) of these edges; 0 if left out
    traction      sigma n (2, ...) at points of all other edges of the boundary; 0 if left out
    force         f at points of the body; 0 if left out
    young         one number, or one per triangle

    The order for smooth solutions is `degree` + 1; a curved boundary of straight edges, or a corner without `graded`,
    limits it. The stress is that of u, projected onto continuous piecewise linear functions.
    """
    if degree not in (1, 2):
        raise ValueError(f"elements have degree 1 or 2, got {degree}")
    grid = mesh.skfem()
    element = skfem.ElementTriP1() if degree == 1 else skfem.ElementTriP2()
    basis = skfem.Basis(grid, skfem.ElementVector(element), intorder=2 * degree)
    edges = grid.boundary_facets()
    held = fixed(grid.p[:, grid.facets[:, edges]].mean(1))
    if not held.any():
        raise ValueError("no edge of the boundary is fixed, so that rigid motions are undetermined: fix some")
    modulus = np.broadcast_to(np.asarray(young, float), (grid.nelements,))
    mu, lame = modulus / (2 * (1 + poisson_ratio)), modulus * poisson_ratio / (1 + poisson_ratio)
    lame = lame / (1 - 2 * poisson_ratio)

    @skfem.BilinearForm
    def stiffness(u, v, w):
        strain, other = sym_grad(u), sym_grad(v)
        return lame[:, None] * trace(strain) * trace(other) + 2 * mu[:, None] * ddot(strain, other)

    load = np.zeros(basis.N)
    if force is not None:
        load += skfem.LinearForm(lambda v, w: dot(force(np.asarray(w.x)), v)).assemble(basis)
    if traction is not None:
        loaded = skfem.FacetBasis(grid, basis.elem, facets=edges[~held], intorder=2 * degree)
        load += skfem.LinearForm(lambda v, w: dot(traction(np.asarray(w.x)), v)).assemble(loaded)
    given = basis.get_dofs(edges[held]).flatten()
    u = np.zeros(basis.N)
    if displacement is not None:
        values = displacement(basis.doflocs)
        for component, dofs in enumerate(basis.split_indices()):
            u[dofs] = values[component, dofs]
    free = np.setdiff1d(np.arange(basis.N), given)
    u[free] = 0
    matrix = sp.csr_array(stiffness.assemble(basis))
    rest = load - matrix @ u
    u[free] = solve_direct(sp.csc_array(matrix[free][:, free]), rest[free])
    return MeshElasticity(u[basis.nodal_dofs].T, _stress(basis, u, lame, mu), float(load @ u))


def _stress(basis: skfem.Basis, u: Array, lame: Array, mu: Array) -> Array:
    """xx, yy, xy at the nodes."""
    displacement = basis.interpolate(u)
    assert isinstance(displacement, skfem.DiscreteField)  # one field, as the element is one
    strain = sym_grad(displacement)
    linear = basis.with_element(skfem.ElementTriP1())
    pressure = lame[:, None] * trace(strain)
    parts = [pressure * (i == j) + 2 * mu[:, None] * strain[i, j] for i, j in ((0, 0), (1, 1), (0, 1))]
    return np.stack([linear.project(part) for part in parts], 1)
