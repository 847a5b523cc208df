"""T1: what holds because everything happens on the coefficients of one basis."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from vcycle.networks import T1
from vcycle.networks.spectrum import FrequencyMatrices, ModeMatrices, SpectrumLayer
from vcycle.operators import count_parameters
from vcycle.spaces import L2, Basis, Domain

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "public" / "t1_dct.npz"
MIXED = Domain([1.0, 2.0], [("dirichlet", "neumann"), "periodic"])


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def network(**options) -> T1:
    torch.manual_seed(3)
    defaults = {"width": 6, "depth": 2, "modes": 6, "head_width": 10, "domain": MIXED}
    return T1(1, 1, **{**defaults, **options}).double()


@pytest.mark.parametrize("axes", [1, 2])
def test_the_orthonormal_dct_is_our_cosine_basis_times_the_root_of_points_per_length(axes):
    if not VECTORS.exists():
        pytest.skip(f"no vectors in {VECTORS}")
    with np.load(VECTORS) as file:
        x, dct, inverse, plain = (
            torch.from_numpy(file[key]) for key in ("x", f"dct{axes}d/ortho", f"idct{axes}d/ortho", f"dct{axes}d/None")
        )
    domain = Domain([1.5, 0.5][:axes], "neumann")
    shape = tuple(x.shape[-axes:])
    factor = math.sqrt(math.prod(shape) / math.prod(domain.lengths))
    c = Basis(domain).analyse(x) * factor
    torch.testing.assert_close(c, dct, rtol=0, atol=1e-12)
    torch.testing.assert_close(Basis(domain).synthesise(x / factor, shape), inverse, rtol=0, atol=1e-12)
    norms = [torch.full((n,), math.sqrt(2 * n), dtype=torch.float64) for n in shape]
    for n, norm in zip(shape, norms, strict=True):
        norm[0] = 2 * math.sqrt(n)  # scipy without norm: 2 sum_j x_j cos(...)
    weights = norms[0] if axes == 1 else norms[0][:, None] * norms[1]
    torch.testing.assert_close(c * weights, plain, rtol=0, atol=1e-11)


@pytest.mark.parametrize("boundary", ["periodic", "dirichlet", "neumann"])
def test_a_loss_on_coefficients_is_the_loss_on_functions(boundary):
    domain = Domain([1.0, 2.0], boundary)
    u, v = random(3, 1, 9, 7), random(3, 1, 9, 7, seed=1)
    a, b = (Basis(domain).analyse(w).flatten(1) for w in (u, v))
    relative = (a - b).norm(dim=1) / b.norm(dim=1)
    if boundary == "neumann":  # elsewhere the highest mode of a full basis may have another discrete norm
        torch.testing.assert_close(relative, L2(domain).relative(u, v))
    smooth = [Basis(domain, modes=(5, 5)).synthesise(w.view(3, 1, 9, 7)[..., :5, :5], (9, 7)) for w in (a, b)]
    a, b = (w.view(3, 9, 7)[:, :5, :5].flatten(1) for w in (a, b))
    torch.testing.assert_close((a - b).norm(dim=1) / b.norm(dim=1), L2(domain).relative(*smooth))


def test_mode_matrices_leave_modes_apart_and_frequency_matrices_leave_channels_apart():
    z = random(2, 3, 4, 5)
    R, X = ModeMatrices(3, 3, (4, 5)).double(), FrequencyMatrices(3, (4, 5)).double()
    torch.testing.assert_close(R(z)[:, :, 1, 2], z[:, :, 1, 2] @ R.weight[:, :, 1, 2])
    first, second = (matrix[..., 2] for matrix in X.axes)
    torch.testing.assert_close(X(z)[:, 2], first.T @ z[:, 2] @ second)


@pytest.mark.parametrize("basis", ["domain", "fourier", "cosine", "sine"])
def test_the_output_is_band_limited_up_to_its_constant(basis):
    net, x = network(basis=basis), random(2, 1, 12, 9)
    net.constant.data.fill_(0.7)
    u = net(x) - 0.7 * net.scale
    torch.testing.assert_close(net.basis.synthesise(net.basis.analyse(u), (12, 9)), u, rtol=0, atol=1e-13)


def test_it_is_affine_without_nonlinearities():
    net = network(activation="identity", head_activation="identity")
    u, v = random(2, 1, 8, 10), random(2, 1, 8, 10, seed=1)
    torch.testing.assert_close(net(2 * u - v), 2 * net(u) - net(v), rtol=0, atol=1e-12)
    assert float((network()(2 * u - v) - 2 * network()(u) + network()(v)).detach().abs().max()) > 1e-4


@pytest.mark.parametrize("boundary", ["periodic", "dirichlet", "neumann"])
def test_a_function_of_its_modes_has_one_image_at_all_resolutions(boundary):
    """Resolutions with common points: multiples of 3 share cell centres."""
    domain = Domain.unit(2, boundary)
    net, c = network(coordinates=None, domain=domain, modes=5), random(2, 1, 5, 5)
    net.lift.bias.data.zero_()  # a constant is not a finite sum of sines
    coarse, fine = ((n, n) for n in (8, 24))
    images = [net(net.basis.synthesise(c, shape)) for shape in (coarse, fine)]
    torch.testing.assert_close(images[0], images[1][..., 1::3, 1::3], rtol=0, atol=1e-13)


def test_the_spectrum_keeps_its_size_through_the_layers_and_the_first_output_is_small():
    torch.manual_seed(0)
    net = T1(1, 1, depth=8)
    z = torch.randn(4, 24, 16, 16)
    for layer in net.layers:
        z = layer(z)
    assert 0.9 < float(z.detach().std()) < 1.5
    x = torch.randn(4, 1, 32, 32)
    assert 1e-3 < float(net(x).detach().std()) < 0.2


def test_a_layer_without_residual_replaces_the_spectrum():
    torch.manual_seed(0)
    layer = SpectrumLayer(3, (4,), torch.nn.Identity(), residual=False)
    z = torch.randn(2, 3, 4)
    torch.testing.assert_close(layer(z), layer.X(layer.R(z)))
    layer.residual = True
    torch.testing.assert_close(layer(z), z + layer.X(layer.R(z)))


def test_parameters_are_counted():
    """The published Navier-Stokes configuration, and our one constant."""
    net = T1(1, 1, width=48, depth=8, modes=24)
    assert count_parameters(net) == 11_065_664 + 1
    assert count_parameters(T1(1, 1)) == 642_273


@pytest.mark.parametrize(
    "options",
    [
        {"modes": (5, 7)},
        {"basis": "cosine"},
        {"basis": "sine"},
        {"basis": "fourier"},
        {"activation": "tanh"},
        {"head_activation": "sine"},
        {"head_width": 4},
        {"residual": False},
        {"coordinates": None},
        {"coordinates": "ends"},
        {"scale": 30.0},
    ],
    ids=str,
)
def test_every_option_does_something(options):
    x = random(2, 1, 8, 8)
    assert not torch.equal(network(**options)(x), network()(x))


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match=r"got modes=\(4, 4, 4\) for 2 axes"):
        T1(1, 1, modes=(4, 4, 4))
    with pytest.raises(ValueError, match=r"the grid \(5, 8\) carries \(5, 6\) of them: take a finer grid"):
        network()(random(1, 1, 5, 8))
