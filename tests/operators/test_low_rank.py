"""Tucker, CP and tensor train: what they can represent, how many parameters they have, how they start."""

import itertools
import math

import pytest
import torch

from vcycle.operators import FACTORIZATIONS, Canonical, LowRank, TensorTrain, Tucker, count_parameters
from vcycle.operators.low_rank import Kept

SHAPES = [(6, 5, 4, 7), (8, 8, 5), (5, 9)]
every_form = pytest.mark.parametrize("form", FACTORIZATIONS.values(), ids=FACTORIZATIONS)
every_closed_form = pytest.mark.parametrize("form", [Tucker, TensorTrain], ids=["tucker", "tt"])
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
real_and_complex = pytest.mark.parametrize("pairs", [False, True], ids=["real", "complex"])


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def number(value: torch.Tensor, pairs: bool) -> torch.Tensor:
    return torch.view_as_complex(value.detach().contiguous()) if pairs else value.detach()


def numbers(form: LowRank) -> list[torch.Tensor]:
    return [number(factor, form.pairs) for factor in form.factors]


def by_definition(form: LowRank) -> torch.Tensor:
    """The sums of the docstrings, in one einsum."""
    first, *rest = numbers(form)
    n, r = "abcdefg"[: len(form.shape)], "uvwxyz"
    if isinstance(form, Tucker):
        terms = [r[: len(n)], *(f"{a}{b}" for a, b in zip(n, r, strict=False))]
    elif isinstance(form, Canonical):
        terms = ["u", *(f"{a}u" for a in n)]
    else:
        terms = [f"{n[0]}u", *(f"{p}{a}{q}" for a, (p, q) in zip(n[1:-1], itertools.pairwise(r), strict=False))]
        terms.append(f"{r[len(n) - 2]}{n[-1]}")
    return torch.einsum(f"{','.join(terms)}->{n}", first, *rest)


@every_form
@every_shape
@real_and_complex
def test_the_tensor_is_the_sum_of_the_definition(form, shape, pairs):
    T = form(shape, 0.8, pairs=pairs).double()
    torch.testing.assert_close(number(T.dense(), pairs), by_definition(T), rtol=0, atol=1e-13)


@every_form
@every_shape
@real_and_complex
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 1.0])
def test_parameters_stay_within_the_share_and_fill_it(form, shape, pairs, share):
    T = form(shape, share, pairs=pairs)
    stored, dense = count_parameters(T), (2 if pairs else 1) * math.prod(shape)
    assert stored <= share * dense or set(T.ranks) == {1}
    for axis in range(len(T.ranks)):
        more = tuple(r + (k == axis) for k, r in enumerate(T.ranks))
        larger = sum(map(math.prod, form.sizes(shape, more)))
        assert larger > share * math.prod(shape) or T.ranks[axis] == limit(T, axis)


def limit(T: LowRank, axis: int) -> int:
    """Beyond this a rank adds nothing to the tensors that can be represented."""
    if isinstance(T, Tucker):
        return T.shape[axis]
    return min(math.prod(T.shape[: axis + 1]), math.prod(T.shape[axis + 1 :]))


@every_form
@real_and_complex
def test_it_starts_with_the_variance_of_a_dense_weight(form, pairs):
    torch.manual_seed(0)
    forms = [form((6, 5, 4, 3), 0.5, pairs=pairs, deviation=0.3) for _ in range(300)]
    squares = [float(number(T.dense(), pairs).abs().square().mean()) for T in forms]
    assert sum(squares) / len(squares) == pytest.approx(0.09, rel=0.25)


@every_form
@real_and_complex
@pytest.mark.parametrize("batch", [1, 500])
@pytest.mark.parametrize("share", [0.05, 0.9])
def test_both_orders_of_the_products_agree(form, pairs, batch, share):
    """Small batches are multiplied factor by factor, large ones by the tensor: never another result."""
    T = form((4, 5, 6, 7), share, pairs=pairs).double()
    v = random(batch, 4, 6, 7, *((2,) if pairs else ()))
    expected = torch.einsum("bi...,io...->bo...", number(v, pairs), number(T.dense(), pairs))
    torch.testing.assert_close(number(T.multiply(v), pairs), expected, rtol=0, atol=1e-12)


@every_form
@real_and_complex
def test_truncation_cuts_the_factors(form, pairs):
    T = form((4, 5, 6, 7), 0.6, pairs=pairs).double()
    kept: Kept = (slice(1, 4), slice(5))
    part = T.dense()[:, :, 1:4, :5]
    torch.testing.assert_close(T.dense(kept), part, rtol=0, atol=1e-13)
    v = random(3, 4, 3, 5, *((2,) if pairs else ()))
    expected = torch.einsum("bi...,io...->bo...", number(v, pairs), number(part, pairs))
    torch.testing.assert_close(number(T.multiply(v, kept), pairs), expected, rtol=0, atol=1e-13)


def unfoldings(form: LowRank) -> list[torch.Tensor]:
    """The matrices whose rank the form bounds, one for each of its ranks."""
    T = number(form.dense(), form.pairs)
    if isinstance(form, TensorTrain):
        return [T.reshape(math.prod(T.shape[:k]), -1) for k in range(1, T.ndim)]
    return [T.movedim(axis, 0).flatten(1) for axis in range(T.ndim)]


@every_form
@every_shape
@real_and_complex
def test_ranks_bound_the_ranks_of_the_unfoldings(form, shape, pairs):
    T = form(shape, 0.4, pairs=pairs).double()
    matrices = unfoldings(T)
    for matrix, r in zip(matrices, T.ranks * len(matrices) if form is Canonical else T.ranks, strict=True):
        assert int(torch.linalg.matrix_rank(matrix)) <= r < max(matrix.shape)


@every_closed_form
@every_shape
@real_and_complex
def test_full_rank_represents_every_tensor(form, shape, pairs):
    T = random(*shape, *((2,) if pairs else ()))
    full = [math.prod(shape)] * form.rank_count(shape)
    torch.testing.assert_close(form.from_dense(T, full, pairs=pairs).dense(), T, rtol=0, atol=1e-12)


@every_closed_form
@real_and_complex
def test_the_truncated_decomposition_is_nearly_the_best(form, pairs):
    """Its squared error is at most the sum over unfoldings of the squared singular values left out."""
    shape = (6, 5, 4, 7)
    T = random(*shape, *((2,) if pairs else ()))
    low = form.from_dense(T, 0.4, pairs=pairs)
    error = float((low.dense() - T).detach().square().sum())
    dense = form.from_dense(T, [math.prod(shape)] * form.rank_count(shape), pairs=pairs)
    left_out = [
        float(torch.linalg.svdvals(m)[r:].square().sum()) for m, r in zip(unfoldings(dense), low.ranks, strict=True)
    ]
    assert max(left_out) <= error <= sum(left_out)


@every_closed_form
@real_and_complex
def test_a_tensor_of_low_rank_is_found(form, pairs):
    T = form((6, 5, 4, 7), 0.3, pairs=pairs).double()
    found = form.from_dense(T.dense().detach(), T.ranks, pairs=pairs)
    torch.testing.assert_close(found.dense(), T.dense(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("rank", [0, -0.1, 1.5, (2, 2), (0, 1, 1)])
def test_errors_say_what_to_do(rank):
    with pytest.raises(ValueError, match=r"share of the dense parameters"):
        Tucker((4, 4, 4), rank)
