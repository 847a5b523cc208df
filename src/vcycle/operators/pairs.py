"""Complex numbers as pairs of real ones: exported programs know no others."""

import torch
from jaxtyping import Float
from torch import Tensor


def contract(equation: str, a: Float[Tensor, "..."], b: Float[Tensor, "..."], *, pairs: bool) -> Float[Tensor, "..."]:
    """The einsum of two tensors; with `pairs`, of complex ones whose last axis holds real and imaginary part.

    >>> i = torch.tensor([0.0, 1.0])
    >>> contract(",->", i, i, pairs=True)
    tensor([-1.,  0.])
    """
    if not pairs:
        return torch.einsum(equation, a, b)
    inputs, output = equation.split("->")
    left, right = inputs.split(",")
    products = torch.einsum(f"{left}Y,{right}Z->YZ{output}", a, b)
    return torch.stack([products[0, 0] - products[1, 1], products[0, 1] + products[1, 0]], -1)
