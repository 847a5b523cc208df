"""The linear operator as a value: W maps functions to functions, and the algebra of such maps is closed."""

from abc import ABC, abstractmethod
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.spaces import Space

Field = Float[Tensor, "b _ ..."]  # (b, c, *grid); an operator may change c and the grid, never b


def differentiated(*fields: Tensor) -> bool:
    """Whether autograd records what is done with them, so that nothing may be done in place."""
    return torch.is_grad_enabled() and any(field.requires_grad for field in fields)


class LinearOperator(nn.Module, ABC):
    """A bounded linear map W: source -> target.

    W(u)             apply, (b, c_in, *grid) to (b, c_out, *grid)
    W.adjoint()      the operator with (W u, v)_target = (u, W* v)_source
    W.residual(f, u) f - W u
    W.norm_bound()   a number >= ||W||, or None where none is known
    W1 + W2, W1 - W2, 2 * W, -W, W1 @ W2    sums, multiples and compositions are operators again

    `tags` state what holds by construction: 'self_adjoint', 'positive', 'translation_equivariant',
    'refines' (the same parameters on finer grids converge to one operator); 'affine' confesses a bias: then W - W0 is
    the linear map, norm_bound is the Lipschitz constant of W, and there is no adjoint.
    Learned operators hold parameters, assembled ones buffers; the two are never told apart from outside.
    """

    def __init__(self, source: Space, target: Space, tags: frozenset[str] = frozenset()):
        super().__init__()
        self.source, self.target, self.tags = source, target, tags

    @abstractmethod
    def forward(self, u: Field) -> Field:
        """W u."""

    @abstractmethod
    def adjoint(self) -> "LinearOperator":
        """W*, sharing its parameters with W."""

    @abstractmethod
    def norm_bound(self) -> float | None:
        """An upper bound of ||W|| from L2 to L2 at every resolution, or None."""

    def residual(self, f: Field, u: Field) -> Field:
        """f - W u."""
        return f - self(u)

    def __add__(self, other: "LinearOperator") -> "LinearOperator":
        return Sum(self, other)

    def __sub__(self, other: "LinearOperator") -> "LinearOperator":
        return Sum(self, Scaled(-1.0, other))

    def __matmul__(self, other: "LinearOperator") -> "LinearOperator":
        return Composition(self, other)

    def __mul__(self, factor: int | float) -> "LinearOperator":
        return Scaled(float(factor), self)

    def __rmul__(self, factor: int | float) -> "LinearOperator":
        return Scaled(float(factor), self)

    def __neg__(self) -> "LinearOperator":
        return Scaled(-1.0, self)


class Identity(LinearOperator):
    """W u = u."""

    def __init__(self, space: Space):
        super().__init__(space, space, frozenset({"self_adjoint", "positive", "translation_equivariant", "refines"}))

    def forward(self, u: Field) -> Field:
        return u

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        return 1.0


class Sum(LinearOperator):
    """(W1 + W2) u = W1 u + W2 u."""

    def __init__(self, left: LinearOperator, right: LinearOperator):
        if (left.source, left.target) != (right.source, right.target):
            raise ValueError(f"cannot add {_arrow(left)} and {_arrow(right)}: source and target must be the same")
        super().__init__(left.source, left.target, left.tags & right.tags | _affine(left, right))
        self.left, self.right = left, right

    def forward(self, u: Field) -> Field:
        return self.left(u) + self.right(u)

    def adjoint(self) -> LinearOperator:
        return Sum(self.left.adjoint(), self.right.adjoint())

    def norm_bound(self) -> float | None:
        left, right = self.left.norm_bound(), self.right.norm_bound()
        return None if left is None or right is None else left + right


class Composition(LinearOperator):
    """(W1 @ W2) u = W1 (W2 u)."""

    def __init__(self, outer: LinearOperator, inner: LinearOperator):
        if outer.source != inner.target:
            raise ValueError(f"cannot compose {_arrow(outer)} after {_arrow(inner)}: the spaces in the middle differ")
        kept = outer.tags & inner.tags & {"translation_equivariant", "refines"}
        super().__init__(inner.source, outer.target, kept | _affine(outer, inner))
        self.outer, self.inner = outer, inner

    def forward(self, u: Field) -> Field:
        return self.outer(self.inner(u))

    def adjoint(self) -> LinearOperator:
        return Composition(self.inner.adjoint(), self.outer.adjoint())

    def norm_bound(self) -> float | None:
        outer, inner = self.outer.norm_bound(), self.inner.norm_bound()
        return None if outer is None or inner is None else outer * inner


class Scaled(LinearOperator):
    """(c W) u = c (W u)."""

    def __init__(self, factor: float, operator: LinearOperator):
        kept = operator.tags if factor >= 0 else operator.tags - {"positive"}
        super().__init__(operator.source, operator.target, kept)
        self.factor, self.operator = factor, operator

    def forward(self, u: Field) -> Field:
        return self.factor * self.operator(u)

    def adjoint(self) -> LinearOperator:
        return Scaled(self.factor, self.operator.adjoint())

    def norm_bound(self) -> float | None:
        bound = self.operator.norm_bound()
        return None if bound is None else abs(self.factor) * bound


class Adjoint(LinearOperator):
    """W* v = M_source^-1 W^T M_target v, the transpose by automatic differentiation; M are the quadrature weights.

    Serves every operator without a closed form of its own. `refinement` is the ratio of target to source points per
    axis (1/2 for a restriction to the next coarser grid).
    """

    def __init__(self, operator: LinearOperator, refinement: float = 1.0):
        if "affine" in operator.tags:
            raise TypeError(f"{type(operator).__name__} has a bias, so it is affine and has no adjoint: set bias=False")
        super().__init__(operator.target, operator.source, operator.tags)
        self.operator, self.refinement = operator, refinement

    def forward(self, u: Field) -> Field:
        shape = tuple(round(n / self.refinement) for n in u.shape[2:])
        zero = u.new_zeros(u.shape[0], self.operator.source.channels, *shape)
        weighted = u * self.source.weights(u)
        with torch.enable_grad():
            pull = torch.func.vjp(self.operator, zero)[1]
            (transposed,) = cast(tuple[Tensor], pull(weighted))
        return transposed / self.target.weights(zero)

    def adjoint(self) -> LinearOperator:
        return self.operator

    def norm_bound(self) -> float | None:
        return self.operator.norm_bound()


def _affine(left: LinearOperator, right: LinearOperator) -> frozenset[str]:
    return (left.tags | right.tags) & {"affine"}


def _arrow(operator: LinearOperator) -> str:
    def name(space: Space) -> str:
        return f"{space.channels} channels on {space.domain} ({space.placement})"

    return f"{type(operator).__name__}: {name(operator.source)} -> {name(operator.target)}"


def count_parameters(module: nn.Module) -> int:
    """The number of real parameters, complex ones counted twice."""
    parameters: Any = module.parameters()
    return sum(p.numel() * (2 if p.is_complex() else 1) for p in parameters)
