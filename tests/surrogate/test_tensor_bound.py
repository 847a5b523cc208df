"""A surrogate of anisotropic Darcy flow answers with guaranteed bounds."""

import torch

from references.dense import distance
from vcycle.problems import AnisotropicDarcy
from vcycle.surrogate import Surrogate


def test_predictions_of_a_tensor_problem_have_the_continuum_bound():
    P = AnisotropicDarcy(source="gaussian")
    x = P.sample((6, 6), 0, range(3))
    surrogate = Surrogate(lambda a: 0.05 * a[:, :1], P.domain, P.input_names, P.output_names, problem=P)
    prediction = surrogate.predict(x, tighten=1)
    assert (prediction.kind, prediction.form) == ("guaranteed", "continuum")
    A, f = P.tensor(x)
    assert prediction.field is not None
    assert prediction.bound is not None
    true, _ = distance(prediction.field, A, 0 * f, f, P.domain, 3)
    assert bool((prediction.bound >= true).all())
    assert bool((prediction.bound < 2 * true).all())
    assert bool(torch.isfinite(prediction.bound).all())
