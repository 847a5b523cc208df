"""Triangles and tetrahedra with what piecewise linear functions and fluxes need: gradients, faces, moments.

Needs the extra `meshes`; vcycle.hybrid does not import this module.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float, Int

try:
    import skfem
except ImportError as error:
    raise ImportError("bounds on meshes need scikit-fem: pip install 'vcycle[meshes]'") from error

OPPOSITE = {2: (1, 2, 0), 3: (3, 2, 1, 0)}  # scikit-fem's local face that lies opposite each node


@dataclass(frozen=True)
class Simplices:
    """Straight triangles or tetrahedra, u given on some faces of the boundary, no flow through the others.

    points (n, d), nodes (m, d + 1) of every simplex, faces (m, d + 1): the one opposite each node;
    given (faces,): where u is given (Dirichlet); count: the number of faces.
    """

    points: Float[np.ndarray, "n d"]
    nodes: Int[np.ndarray, "m corners"]
    faces: Int[np.ndarray, "m corners"]
    given: Bool[np.ndarray, " faces"]

    @classmethod
    def of(cls, mesh: skfem.Mesh, given: Callable[[np.ndarray], np.ndarray] | None = None) -> "Simplices":
        """`given` says of the middles (d, k) of faces which faces of the boundary have u given; all if left out."""
        d = mesh.p.shape[0]
        if not isinstance(mesh, skfem.MeshTri1 | skfem.MeshTet1):
            raise ValueError(
                f"bounds need straight triangles or tetrahedra, got {type(mesh).__name__}: convert the mesh"
            )
        boundary = mesh.boundary_facets()
        mask = np.zeros(mesh.facets.shape[1], bool)
        middles = mesh.p[:, mesh.facets[:, boundary]].mean(1)
        mask[boundary] = True if given is None else given(middles)
        return cls(mesh.p.T.copy(), mesh.t.T.copy(), mesh.t2f.T[:, OPPOSITE[d]].copy(), mask)

    @property
    def dimension(self) -> int:
        return self.points.shape[1]

    @cached_property
    def corners(self) -> Float[np.ndarray, "m corners d"]:
        return self.points[self.nodes]

    @cached_property
    def volumes(self) -> Float[np.ndarray, " m"]:
        edges = self.corners[:, 1:] - self.corners[:, :1]
        return np.abs(np.linalg.det(edges)) / math.factorial(self.dimension)

    @cached_property
    def gradients(self) -> Float[np.ndarray, "m corners d"]:
        """Of the barycentric coordinates."""
        rows = np.concatenate([np.ones((*self.nodes.shape, 1)), self.corners], 2)
        return np.linalg.inv(rows)[:, 1:].swapaxes(1, 2)

    @property
    def face_centres(self) -> Float[np.ndarray, "m corners d"]:
        """Of the face opposite each node."""
        return (self.corners.sum(1, keepdims=True) - self.corners) / self.dimension

    @cached_property
    def moments(self) -> Float[np.ndarray, "m d d"]:
        """The integral of (x - c) (x - c)^T, c the centre of the simplex."""
        d = self.dimension
        arms = self.corners - self.corners.mean(1, keepdims=True)
        return np.einsum("m,mji,mjk->mik", self.volumes / ((d + 1) * (d + 2)), arms, arms)

    @cached_property
    def diameters(self) -> Float[np.ndarray, " m"]:
        """The longest edges."""
        arms = self.corners[:, :, None] - self.corners[:, None]
        return np.sqrt((arms**2).sum(-1)).max((1, 2))

    @cached_property
    def slopes(self) -> sp.csr_array:
        """From values at the middles of faces to gradients (m d): linear on simplices, Crouzeix and Raviart 1973."""
        m, d = len(self.nodes), self.dimension
        rows = np.broadcast_to(np.arange(m * d).reshape(m, 1, d), (m, d + 1, d))
        columns = np.broadcast_to(self.faces[:, :, None], rows.shape)
        values = -d * self.gradients
        return sp.csr_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=(m * d, len(self.given)))

    @cached_property
    def averages(self) -> sp.csr_array:
        """From values at the middles of faces to means over simplices."""
        m, k = self.faces.shape
        rows = np.repeat(np.arange(m), k)
        return sp.csr_array((np.full(m * k, 1 / k), (rows, self.faces.ravel())), shape=(m, len(self.given)))

    def gradient(self, v: Float[np.ndarray, "b n"]) -> Float[np.ndarray, "b m d"]:
        """Of the continuous function with values v at the points."""
        return np.einsum("bmj,mji->bmi", v[:, self.nodes], self.gradients)

    def means(self, v: Float[np.ndarray, "b n"]) -> Float[np.ndarray, "b m"]:
        return v[:, self.nodes].mean(2)

    def spread(self, slope: Float[np.ndarray, "b m d"]) -> Float[np.ndarray, "b m"]:
        """||slope (x - centre)|| on every simplex."""
        return np.sqrt(np.einsum("bmi,mik,bmk->bm", slope, self.moments, slope))

    def face_means(self, v: Float[np.ndarray, "b n"]) -> Float[np.ndarray, "b faces"]:
        """Of the continuous function with values v at the points, over every face."""
        out = np.zeros((len(v), len(self.given)))
        values = v[:, self.nodes]
        out[:, self.faces] = (values.sum(2, keepdims=True) - values) / self.dimension
        return out
