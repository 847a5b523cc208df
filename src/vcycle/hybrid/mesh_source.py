"""Sources that vary within simplices: linear parts, and an upper bound of the rest.

Needs the extra `meshes`; vcycle.hybrid does not import this module.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from vcycle.hybrid.simplices import Simplices, skfem


@dataclass(frozen=True)
class MeshSource:
    """f = mean + slope (x - centre) + rest on every simplex, the rest orthogonal to linear functions.

    mean (b, m), slope (b, m, d), rest (b, m) >= the norms of the rest in L2.
    """

    mean: Float[np.ndarray, "b m"]
    slope: Float[np.ndarray, "b m d"]
    rest: Float[np.ndarray, "b m"]

    @classmethod
    def of(cls, f: Callable[[np.ndarray], np.ndarray], mesh: skfem.Mesh, degree: int = 8) -> "MeshSource":
        """f at points (d, ...), by quadrature that is exact for f^2 of this degree.

        For other functions the parts, and with them a bound, are exact up to the error of the quadrature.
        """
        S = Simplices.of(mesh)
        element = skfem.ElementTriP0() if S.dimension == 2 else skfem.ElementTetP0()
        basis = skfem.Basis(mesh, element, intorder=degree)
        x, weights = np.asarray(basis.global_coordinates()), basis.dx
        values = np.broadcast_to(f(x), weights.shape)
        mean = (values * weights).sum(1) / S.volumes
        arms = x.transpose(1, 2, 0) - S.corners.mean(1, keepdims=True)
        slope = np.linalg.solve(S.moments, np.einsum("mq,mqi->mi", values * weights, arms)[:, :, None])[:, :, 0]
        rest = values - mean[:, None] - np.einsum("mqi,mi->mq", arms, slope)
        return cls(mean[None], slope[None], np.sqrt((rest**2 * weights).sum(1))[None])
