import pytest
import torch

from vcycle.operators import FiniteVolume, OperatorInterpolation, classical_cycle, classical_cycles
from vcycle.problems import TwoPhase
from vcycle.spaces import Domain


def operator(contrast, shape=(32, 32), domain=None):
    D = Domain.unit(len(shape)) if domain is None else domain
    return FiniteVolume.assemble(TwoPhase(1.0, contrast).sample(D, shape, 3, [0, 1]), D)


def is_black_box(cycle):
    return isinstance(cycle.levels[0].P, OperatorInterpolation)


@pytest.mark.parametrize(
    ("A", "expected"),
    [
        (operator(4.0), False),
        (operator(10.0), False),
        (operator(100.0), True),
        (operator(1e6), True),
        (operator(100.0, (8, 8, 8)), False),
        (operator(1e4, (8, 8, 8)), True),
        (operator(100.0, (256,)), False),
        (operator(100.0, (27, 27), Domain((1.0, 1.0), ["periodic", "periodic"])), False),
    ],
)
def test_coefficients_that_jump_get_the_black_box(A, expected):
    assert is_black_box(classical_cycle(A)) is expected


@pytest.mark.parametrize("contrast", [4.0, 100.0, 1e6])
def test_the_precision_is_single_unless_careful(contrast):
    A = operator(contrast)
    assert next(classical_cycle(A).buffers()).dtype == torch.float32
    assert next(classical_cycle(A, careful=True).buffers()).dtype == torch.float64
    assert A.diagonal.dtype == torch.float64


def test_averages_at_high_contrast_stay_in_double_precision():
    assert next(classical_cycle(operator(1e6, (256,))).buffers()).dtype == torch.float64


def test_cycles_in_turn_are_of_both_kinds_where_coefficients_jump():
    assert [is_black_box(cycle) for cycle in classical_cycles(operator(100.0))] == [True, False]
    assert [is_black_box(cycle) for cycle in classical_cycles(operator(4.0))] == [False]
