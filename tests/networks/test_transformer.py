import pytest
import torch

from vcycle.networks import Transformer
from vcycle.operators import count_parameters
from vcycle.spaces import Domain

SMALL = {"width": 8, "depth": 2, "heads": 2, "modes": 4, "decoder_width": 6}


def made(domain: Domain | None = None, **options) -> Transformer:
    torch.manual_seed(0)
    return Transformer(1, 2, **{**SMALL, **options}, domain=domain)


def test_number_of_parameters():
    assert count_parameters(Transformer(1, 1)) == 619_553


@pytest.mark.parametrize(
    "options",
    [
        {"width": 12},
        {"heads": 4},
        {"attention": "fourier"},
        {"attention": "softmax"},
        {"attention": "linear"},
        {"points": 20},
        {"coordinates": None},
        {"coordinates": "corners"},
        {"coordinates": "ends"},
        {"head_norm": "instance"},
        {"head_norm": None},
        {"norm_placement": "none"},
        {"norm_placement": "pre"},
        {"norm_placement": "post"},
        {"mlp_expansion": 1.5},
        {"activation": "silu"},
        {"decoder_depth": 1},
        {"modes": (3, 5)},
        {"basis": "fourier"},
        {"placement": "vertex"},
        {"placement": "vertex", "zero_boundary": True},
        {"gain": 0.5},
        {"diagonal": 0.5},
    ],
    ids=str,
)
def test_every_option_does_something_and_every_parameter_matters(options):
    plain, network = made(), made(**options)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.01 * torch.randn_like(p))
    x = torch.randn(3, 1, 8, 12)
    assert not torch.equal(made(**options)(x), plain(x))
    network(x).pow(3).sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_dropout_acts_while_training_only():
    network, x = made(dropout=0.3), torch.randn(2, 1, 8, 8)
    assert torch.equal(network.eval()(x), made()(x))
    assert not torch.equal(network.train()(x), network(x))


@pytest.mark.parametrize("attention", ["galerkin", "fourier", "softmax", "linear"])
def test_without_coordinates_it_commutes_with_every_shift(attention):
    network = made(Domain.unit(2, "periodic"), attention=attention, coordinates=None).double()
    u = torch.randn(2, 1, 9, 12, dtype=torch.float64)
    shifted = u.roll((2, 5), (2, 3))
    torch.testing.assert_close(network(shifted), network(u).roll((2, 5), (2, 3)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("attention", ["galerkin", "fourier", "softmax", "linear"])
def test_one_function_has_one_image_at_all_resolutions(attention):
    """On cells, with errors of second order: about a ninth on a grid three times as fine."""
    network = made(attention=attention, points=None).double()

    def image(n: int) -> torch.Tensor:
        x, y = torch.meshgrid(*[(torch.arange(n, dtype=torch.float64) + 0.5) / n] * 2, indexing="ij")
        return network((torch.sin(3 * x) * torch.cos(2 * y))[None, None]).detach()

    coarse, middle, fine = image(5), image(15), image(45)
    first = float((middle[..., 1::3, 1::3] - coarse).abs().max())
    second = float((fine[..., 1::3, 1::3] - middle).abs().max())
    assert second < first / 6


@pytest.mark.parametrize(
    ("points", "shape", "expected"),
    [
        (1024, (64, 64), (32, 32)),
        (1024, (32, 32), (32, 32)),
        (1024, (128, 128), (32, 32)),
        (1024, (48, 40), (35, 29)),
        (100, (400,), (100,)),
        (64, (16, 16, 16), (4, 4, 4)),
        (None, (64, 64), (64, 64)),
        (1, (8, 8), (1, 1)),
    ],
)
def test_finer_grids_are_averaged_to_few_points(points, shape, expected):
    network, met = made(Domain.unit(len(shape)), points=points), []
    network.blocks[0].register_forward_pre_hook(lambda module, inputs: met.append(tuple(inputs[0].shape[2:])))
    assert network(torch.randn(1, 1, *shape)).shape == (1, 2, *shape)
    assert met == [expected]


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann"])
def test_averages_keep_integrals(boundary):
    network = made(Domain.unit(2, boundary), points=16).double()
    met = []
    network.blocks[0].register_forward_pre_hook(lambda module, inputs: met.append(inputs[0]))
    network.lift.register_forward_hook(lambda module, inputs, output: met.append(output))
    network(torch.randn(2, 1, 12, 12, dtype=torch.float64))
    fine, coarse = met
    torch.testing.assert_close(coarse.mean((2, 3)), fine.mean((2, 3)), rtol=1e-12, atol=1e-13)


def test_zero_boundary_is_exactly_zero_on_dirichlet_faces_only():
    domain = Domain([1.0, 2.0], [("dirichlet", "neumann"), "periodic"])
    network = made(domain, placement="vertex", zero_boundary=True, coordinates="ends")
    u = network(torch.randn(2, 1, 9, 8))
    assert u.shape == (2, 2, 9, 8)
    assert not u[:, :, 0].any()
    assert u[:, :, 1:].all()
    square = made(placement="vertex", zero_boundary=True, points=25)(torch.randn(2, 1, 9, 9))
    ring = torch.ones(9, 9, dtype=torch.bool)
    ring[1:-1, 1:-1] = False
    assert not square[..., ring].any()
    assert square[..., ~ring].all()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"zero_boundary": True}, "with placement='cell' no point lies on one"),
        ({"zero_boundary": True, "placement": "vertex", "domain": Domain.unit(2, "neumann")}, "no point lies on one"),
        ({"heads": 3}, "got 3 heads for 8 channels"),
        ({"modes": (4,)}, "give one number per axis"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        made(**options)


def test_a_grid_without_an_inside_is_refused():
    network = made(placement="vertex", zero_boundary=True, basis="fourier")
    with pytest.raises(ValueError, match=r"2 or more vertices along every axis, got \(1, 8\)"):
        network(torch.randn(1, 1, 1, 8))
