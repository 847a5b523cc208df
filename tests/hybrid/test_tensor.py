"""The bound of -div(A grad u) + c u = f: never below the error, that of the scalar equation for A = a I, sharper by
tightening."""

import itertools

import pytest
import torch

from references.cases import BOUNDARIES, domain
from references.dense import distance
from vcycle.hybrid import energy_bound
from vcycle.hybrid.continuum import Continuum
from vcycle.hybrid.tensor import Anisotropic
from vcycle.problems import AnisotropicDarcy
from vcycle.spaces import Domain, divergence


def random(seed: int, *shape: int):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tensors(d: int, shape: tuple[int, ...], count: int, ratio: float):
    """Random symmetric A with eigenvalues 1 to `ratio`."""
    Q = torch.linalg.qr(random(1, count, *shape, d, d))[0]
    values = ratio ** torch.rand(count, *shape, d, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    A = (Q * values[..., None, :]) @ Q.mT
    return ((A + A.mT) / 2).movedim((-2, -1), (1, 2))


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", [(3,), (3, 2), (4, 4), (2, 3, 2)], ids=str)
@pytest.mark.parametrize("c", ["none", "anything"])
def test_is_never_below_the_error(boundary, shape, c):
    D, many = domain(len(shape), boundary), 8
    f = random(3, many, 1, *shape)
    reaction = torch.zeros_like(f) if c == "none" else 10 ** (2 * random(4, many, 1, *shape))
    if D.floating and c == "none":
        f = f - f.mean(tuple(range(1, f.ndim)), keepdim=True)
    A = torch.cat([tensors(len(shape), shape, many // 4, ratio) for ratio in (1.0, 10.0, 1e2, 1e4)])
    for v in (f, random(5, *f.shape) * 10 ** (6 * random(6, many, *[1] * (f.ndim - 1)))):
        bounds = [energy_bound(v, A, f, D, reaction=reaction, form="continuum", tighten=t) for t in (0, 1, 3)]
        true, size = distance(bounds[0].field, A, reaction, f, D, 4 if len(shape) < 3 else 2)
        assert all(bool((bound.value >= true - 1e-9 * (true + size)).all()) for bound in bounds)
        assert all(bool((y.value <= x.value * (1 + 1e-9)).all()) for x, y in itertools.pairwise(bounds))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_multiple_of_the_identity_has_the_bound_of_the_scalar(boundary):
    D, a, f = domain(3, boundary), random(1, 2, 1, 3, 4, 2).exp(), random(2, 2, 1, 3, 4, 2)
    A = a[:, :, None] * torch.eye(3, dtype=torch.float64).view(1, 3, 3, 1, 1, 1)
    v = random(3, *f.shape)
    for c in (2.0, 300.0):
        scalar, tensor = (energy_bound(v, x, f, D, reaction=c, form="continuum") for x in (a, A))
        torch.testing.assert_close(scalar.field, tensor.field)
        torch.testing.assert_close(
            (tensor.field - scalar.field).abs().amax(), torch.zeros((), dtype=torch.float64), rtol=0, atol=1e-12
        )
        # The flow starts from w in the mean (tensor) or from v (scalar): the squares agree for the same flow.
        one = Anisotropic(a, torch.full_like(a, c), D, moduli=A)
        q = one.flow(v, one.volume * f, 0)
        direct = Continuum(a, one.c, D)._gradient_misfit(q, scalar.field)
        torch.testing.assert_close(one._gradient_misfit(q, scalar.field), direct)


def test_the_flow_is_in_equilibrium_and_its_misfit_is_least_after_enough_cycles():
    """No flow in equilibrium nearby has a smaller one, up to the directions that are left out."""
    D, shape = domain(2, "mixed"), (4, 5)
    A, f, v = tensors(2, shape, 2, 30.0), random(1, 2, 1, *shape), random(2, 2, 1, *shape)
    trace = A.diagonal(dim1=1, dim2=2).mean(-1)[:, None]
    equation = Anisotropic(trace, None, D, moduli=A)
    load = equation.volume * f
    q = equation.flow(v, load, 60)
    torch.testing.assert_close(divergence(q, D), -load, rtol=0, atol=1e-9)
    w = equation.function(v)
    least = equation.misfit(q, w).sum((1, 2, 3))
    for seed in range(10):
        bent = equation.flow(random(10 + seed, *v.shape), load, 0)
        for share in (1e-3, -1e-3):
            other = tuple(s + share * (t - s) for s, t in zip(q, bent, strict=True))
            assert bool((equation.misfit(other, w).sum((1, 2, 3)) > least * (1 - 1e-5)).all())


@pytest.mark.parametrize("tighten", [0, 1])
def test_is_differentiable(tighten):
    D, A, f = domain(2, "walls"), tensors(2, (3, 4), 1, 10.0), random(1, 1, 1, 3, 4)
    v = random(2, 1, 1, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda w: energy_bound(w, A, f, D, form="continuum", tighten=tighten).value, v, atol=1e-4
    )


def test_solutions_of_anisotropic_darcy_have_sharp_bounds():
    P = AnisotropicDarcy(ratio=10.0)
    x = P.sample((16, 16), 0, range(4))
    u, (A, f) = P.solve(x).value, P.tensor(x)
    bound = energy_bound(u, A, f, form="continuum", tighten=2)
    assert bool((bound.relative < 0.5).all())
    true, _ = distance(energy_bound(u[:1], A[:1], f[:1], form="continuum").field, A[:1], 0 * f[:1], f[:1], P.domain, 2)
    assert float(bound.value[0]) < 2.5 * float(true)


@pytest.mark.parametrize(
    ("A", "form", "sentence"),
    [
        (torch.eye(2).view(1, 2, 2, 1, 1).expand(1, 2, 2, 4, 4), "discrete", "ask for form='continuum'"),
        (-torch.eye(2).view(1, 2, 2, 1, 1).expand(1, 2, 2, 4, 4), "continuum", "positive definite"),
        (torch.ones(1, 3, 3, 4, 4), "continuum", "a tensor for v of shape"),
    ],
)
def test_wrong_tensors_are_refused_with_a_sentence(A, form, sentence):
    with pytest.raises(ValueError, match=sentence):
        energy_bound(torch.ones(1, 1, 4, 4), A, 1.0, Domain.unit(2), form=form)
