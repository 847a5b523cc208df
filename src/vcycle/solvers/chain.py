"""Related systems in an order in which neighbours are alike."""

import numpy as np
from jaxtyping import Float


def chain(parameters: Float[np.ndarray, "b n"]) -> list[int]:
    """Indices that begin with 0 and go on, each time, to the nearest in L2 of those that are left.

    >>> chain(np.array([[0.0], [3.0], [1.0], [2.5]]))
    [0, 2, 3, 1]

    Cost: (b^2 n) / 2, so sort groups of some thousands. Source: P115, the greedy sorting.
    """
    left = list(range(1, len(parameters)))
    order = [0] if len(parameters) else []
    while left:
        gaps = np.linalg.norm(parameters[left] - parameters[order[-1]], axis=1)
        order.append(left.pop(int(gaps.argmin())))
    return order
