"""Channels belong together by name, whatever their order, and equations are never mixed."""

from dataclasses import replace

import pytest
import torch

from vcycle.data import DataError, Dataset, Fields, Split
from vcycle.data.readers import Memory
from vcycle.data.schema import Description
from vcycle.jobs.channels import matched
from vcycle.jobs.trials import stored
from vcycle.problems import Euler, Heat, Poisson
from vcycle.spaces import Domain
from vcycle.surrogate import Surrogate

STATE, SORTED = ("rho", "u", "v", "p"), ("p", "rho", "u", "v")


def names(state: tuple[str, ...], instant: int) -> tuple[str, ...]:
    return tuple(f"{name}_{instant}" for name in state)


def network(inputs, outputs, problem=None) -> Surrogate:
    return Surrogate(lambda x: x, Domain.unit(2), inputs, outputs, problem=problem)


def data(inputs, outputs, problem=None) -> Dataset:
    """Channel i of the inputs is i everywhere, of the outputs 10 + i."""
    about = Description(
        "some", Domain.unit(2), "cell", inputs, outputs, None if problem is None else problem.to_dict(), {}, "made up"
    )
    sides = [
        (first + torch.arange(len(side))).float()[None, :, None, None].expand(2, -1, 4, 4)
        for first, side in ((0, inputs), (10, outputs))
    ]
    return Dataset(about, {"test": Split("test", Memory(Fields(*sides)), 0, 2)})


def test_channels_in_another_order_are_permuted_by_name():
    run = network(names(STATE, 0), names(STATE, 1))
    other = data(names(SORTED, 0), names(SORTED, 1))
    assert matched(run, other) == ([1, 2, 3, 0], [1, 2, 3, 0])
    pairs = stored(run, other, "test", None).main
    assert pairs.inputs[0, :, 0, 0].tolist() == [1, 2, 3, 0]
    assert pairs.outputs[0, :, 0, 0].tolist() == [11, 12, 13, 10]


@pytest.mark.parametrize(
    ("run", "other"),
    [
        ((("a",), ("u",)), (("x",), ("y",))),
        ((("a", "f"), ("u",)), (("x_0", "x_1"), ("y",))),
        ((("x_0", "x_1"), ("u",)), (("a", "f"), ("u",))),
    ],
)
def test_names_of_arrays_without_an_equation_decide_nothing(run, other):
    assert matched(network(*run, problem=Poisson()), data(*other)) == (list(range(len(run[0]))), [0])


@pytest.mark.parametrize(
    ("run", "other"),
    [
        ((("a", "f"), ("u",)), (("kappa", "source"), ("u",))),
        ((("f",), ("u",)), (("u",), ("f",))),
        ((("f",), ("u",)), (("f",), ("u", "p"))),
        ((("x_0", "x_1"), ("u",)), (("x",), ("u",))),
    ],
)
def test_other_channels_are_refused(run, other):
    with pytest.raises(DataError, match="the channels must agree, so give data of the same functions"):
        matched(network(*run), data(*other))


def test_another_equation_is_refused_but_not_other_parameters_of_the_same():
    run = network(("f",), ("u",), Poisson())
    with pytest.raises(
        DataError, match=r"are of the heat equation \(heat\), the network has learned Poisson's equation"
    ):
        matched(run, data(("u_0",), ("u_1",), Heat()))
    longer = replace(Heat(), time=2 * Heat().time)
    assert matched(network(("u_0",), ("u_1",), Heat()), data(("u_0",), ("u_1",), longer)) == ([0], [0])


def test_names_differ_where_both_equations_are_known():
    with pytest.raises(DataError, match="the channels must agree"):
        matched(network(("f",), ("u",), Poisson()), data(("x",), ("y",), Poisson()))
    assert Euler().input_names == names(STATE, 0)
