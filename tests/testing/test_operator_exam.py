"""The exam fails those who do not keep their promises."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from vcycle.operators import Adjoint, LinearOperator, Pointwise, Stencil
from vcycle.spaces import Domain, Space
from vcycle.testing import Candidate, ExamFailed, examine, operator_exam

LINE = Space(Domain.unit(1, "periodic"))
VERTICES = Space(Domain.unit(1), 1, "vertex")


class Custom(LinearOperator):
    """apply(W, u), with whatever promises one wants to make about it."""

    def __init__(
        self,
        apply: Callable,
        *,
        tags: tuple[str, ...] = (),
        back: Callable | None = None,
        bound: float | None = None,
        space: Space = LINE,
    ):
        super().__init__(space, space, frozenset(tags))
        self.apply_, self.back, self.bound = apply, back, bound
        self.factor = nn.Parameter(torch.randn(()))
        self.unsaved = torch.randn((), dtype=torch.float64)

    def forward(self, u):
        return self.apply_(self, u)

    def adjoint(self):
        return Adjoint(self) if self.back is None else Custom(self.back, back=self.apply_, space=self.source)

    def norm_bound(self):
        return self.bound


class OwnAlgebra(Custom):
    def __neg__(self):
        return self


@pytest.mark.parametrize(
    ("theorem", "build"),
    [
        ("linear", lambda: Custom(lambda W, u: u.square())),
        ("linear", lambda: Pointwise(LINE, LINE, bias=True)),
        ("maps_zero_to_zero", lambda: Custom(lambda W, u: u + 1)),
        ("maps_source_to_target", lambda: Custom(lambda W, u: torch.cat([u, u], 1))),
        # The bare transpose is wrong on vertices, where the two ends weigh half.
        (
            "adjoint_identity",
            lambda: Custom(lambda W, u: u.roll(1, -1), back=lambda W, u: u.roll(-1, -1), space=VERTICES),
        ),
        ("norm_within_bound", lambda: Custom(lambda W, u: u, bound=0.5)),
        ("keeps_its_tags", lambda: Custom(lambda W, u: u.cumsum(-1), tags=("translation_equivariant",))),
        ("keeps_its_tags", lambda: Custom(lambda W, u: u.roll(1, -1), tags=("self_adjoint",))),
        ("keeps_its_tags", lambda: Custom(lambda W, u: -u, tags=("positive",))),
        ("refines", lambda: Custom(lambda W, u: u.shape[-1] * u, tags=("refines",))),
        ("gradients", lambda: Custom(lambda W, u: W.factor.detach() * u)),
        ("treats_samples_alone", lambda: Custom(lambda W, u: u - u.mean(0, keepdim=True))),
        ("ignores_the_order_in_memory", lambda: Custom(lambda W, u: u if u.is_contiguous() else 2 * u)),
        ("precision_and_device", lambda: Custom(lambda W, u: u.double())),
        ("saves_and_loads", lambda: Custom(lambda W, u: W.unsaved * u)),
        ("closed_algebra", lambda: OwnAlgebra(lambda W, u: u)),
    ],
)
def test_a_lie_is_found_by_its_theorem(theorem, build):
    with pytest.raises(ExamFailed, match="the liar"):
        vars(operator_exam)[theorem](Candidate("the liar", build, (8,)))


def test_a_rate_lower_than_promised_is_found():
    with pytest.raises(ExamFailed, match="converges at rate"):
        operator_exam.refines(Candidate("slow", lambda: Custom(lambda W, u: u, tags=("refines",)), (8,), order=2.5))


def test_examine_reports_all_failures_at_once():
    with pytest.raises(ExamFailed) as failure:
        examine(lambda: Custom(lambda W, u: u + 1), (8,), name="mine")
    assert str(failure.value).count("mine: ") >= 2


def test_examine_passes_an_honest_operator():
    examine(lambda: Stencil(LINE, LINE), (8,))
