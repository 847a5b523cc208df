import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from vcycle.problems import Darcy, HighContrast, LogNormal, TwoPhase, build
from vcycle.spaces import L2, Domain, resample

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "public"


def problem(dimension, boundary, prior="two_phase"):
    D = domain(dimension, boundary)
    return Darcy(D, PRIORS[prior], "gaussian" if D.floating else "constant")


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_labels_agree_with_the_independent_solver(dimension, boundary, prior):
    P = problem(dimension, boundary, prior)
    shape = ((64,), (24, 20), (8, 6, 10))[dimension - 1]
    inputs = P.sample(shape, 5, range(3))
    solution = P.solve(inputs)
    assert bool((P.residual(inputs, solution.value) < 1e-9).all())
    assert bool((P.verify(inputs, solution.value) < 1e-6).all())


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_second_order_on_manufactured_solutions(dimension, boundary):
    D = domain(dimension, boundary)
    P = Darcy(D, source="gaussian")
    errors = []
    for n in (8, 16, 32) if dimension == 3 else (16, 32, 64):
        a, f, u = P.manufactured((n,) * dimension)
        if D.floating:
            f = f - f.mean()
        solution = P.solve(torch.cat([a, f], 1))
        errors.append(float(L2(D).relative(solution.value, u)))
    orders = [math.log2(e / finer) for e, finer in itertools.pairwise(errors)]
    assert orders[-1] == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("prior", [TwoPhase(), LogNormal(sigma=2.0), HighContrast(contrast=100.0)])
def test_samples_are_the_same_functions_at_every_resolution(prior):
    P = Darcy(prior=prior)
    coarse, fine = P.sample((27, 27), 3, [4, 9]), P.sample((81, 81), 3, [4, 9])
    torch.testing.assert_close(fine[:, :, 1::3, 1::3], coarse, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(P.sample((27, 27), 3, [9]), coarse[1:])
    assert not torch.equal(P.sample((27, 27), 4, [9]), coarse[1:])


def test_contrast_and_phases_are_as_stated():
    assert set(Darcy(prior=TwoPhase(2.0, 5.0)).sample((16, 16), 0, range(4)).unique().tolist()) == {2.0, 5.0}
    assert set(Darcy(prior=HighContrast(contrast=1e6)).sample((32, 32), 0, range(4)).unique().tolist()) == {1.0, 1e6}
    logarithm = Darcy(prior=LogNormal(sigma=1.5)).sample((32, 32), 0, range(300)).log()
    assert float(logarithm.std()) == pytest.approx(1.5, rel=0.1)


def test_no_flow_leaves_through_neumann_faces_and_all_of_it_through_dirichlet_faces():
    D = Domain([1.0, 2.0], [("dirichlet", "neumann"), "neumann"])
    P = Darcy(D)
    a = P.sample((16, 16), 0, range(2))
    flux = P.operator(a).flux(P.solve(a).value)
    assert float(flux[0][:, :, -1].abs().max()) == 0
    assert float(flux[1][:, :, :, [0, -1]].abs().max()) == 0
    # div(a grad u) = -1: the flow a du/dx in at the low face of x is the source, the volume of the domain.
    torch.testing.assert_close(flux[0][:, :, 0].sum((1, 2)), torch.full((2,), 2.0, dtype=torch.float64))


@pytest.mark.parametrize("name", ["pde_darcy_piecewise_a", "pde_darcy_piecewise_b"])
def test_converges_to_the_reference_solution_of_a_piecewise_constant_coefficient(name):
    file = VECTORS / f"{name}.npz"
    if not file.exists():
        pytest.skip("reference vectors are not beside this checkout")
    z = np.load(file)
    a, u = (torch.from_numpy(z[key])[None, None] for key in ("a_cells", "u_centers"))
    D, errors = Domain.unit(2), []
    for finer in (1, 3, 9):  # odd, so that the fine grid has cells centred where the reference has its points
        fine = a.repeat_interleave(finer, 2).repeat_interleave(finer, 3)
        value = Darcy().solve(fine).value[:, :, finer // 2 :: finer, finer // 2 :: finer]
        errors.append(float(L2(D).relative(value, u)))
    assert errors[0] < 0.01
    assert errors[1] < 0.5 * errors[0]
    assert errors[2] < 0.5 * errors[1]


def test_converges_at_second_order_to_the_reference_manufactured_solution():
    file = VECTORS / "pde_darcy_manufactured.npz"
    if not file.exists():
        pytest.skip("reference vectors are not beside this checkout")
    z = np.load(file)
    a, f, exact = (torch.from_numpy(z[key])[None, None] for key in ("a", "f", "u"))
    D, errors = Domain.unit(2), []
    for n in (32, 64):
        stride = 64 // n
        nodal = [t[:, :, ::stride, ::stride] for t in (a, f, exact)]
        cells = [(t[..., 1:, 1:] + t[..., :-1, 1:] + t[..., 1:, :-1] + t[..., :-1, :-1]) / 4 for t in nodal]
        u = Darcy(source="gaussian").solve(torch.cat(cells[:2], 1)).value
        errors.append(float(L2(D).relative(u, cells[2])))
    assert errors[1] < 2e-3
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_to_dict_and_build_are_inverse_through_json(boundary):
    P = problem(2, boundary, "channels")
    assert build(json.loads(json.dumps(P.to_dict()))) == P


def test_impossible_problems_are_refused_with_a_sentence():
    with pytest.raises(ValueError, match="source must have mean zero"):
        Darcy(Domain.unit(2, "neumann"))
    with pytest.raises(ValueError, match="0 < low <= high"):
        TwoPhase(5.0, 3.0)
    with pytest.raises(ValueError, match="must be positive"):
        Darcy().solve(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match="channels a, f"):
        Darcy(source="gaussian").solve(torch.ones(1, 1, 8, 8))
    with pytest.raises(ValueError, match="expected one of darcy"):
        build({"name": "darcey"})


def test_coarse_solutions_approach_fine_ones():
    P = Darcy(prior=LogNormal(0.5))
    solutions = [P.solve(P.sample((n, n), 0, range(2))).value for n in (16, 32, 64)]
    D = Domain.unit(2)
    first, second = (L2(D).relative(resample(solutions[i], D, (64, 64)), solutions[2]).max() for i in (0, 1))
    assert float(second) < 0.4 * float(first)


def test_rounding_of_a_mean_free_source_is_removed_and_a_real_mean_refused():
    P = problem(2, "periodic")
    inputs = P.sample((16, 16), 0, range(2)).float()
    solution = P.solve(inputs)
    assert bool(solution.converged.all())
    assert bool((P.residual(inputs, solution.value) < 1e-9).all())
    inputs[:, 1] += 1
    with pytest.raises(ValueError, match="must have mean zero"):
        P.solve(inputs)
