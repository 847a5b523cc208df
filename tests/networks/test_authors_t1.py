"""The released T1: where it is our T1, and the options that the published vectors do not reach."""

import pytest
import torch

from vcycle.networks import T1, from_authors
from vcycle.networks.authors_t1 import ReleasedT1, cosines, t1_1d, t1_2d
from vcycle.networks.authors_t1u import SHAPES, t1u_2d
from vcycle.spaces import Domain

PLANE = {"modes1": 4, "modes2": 4, "width": 3, "signal_resolution": [8, 8], "nlayers": 2}
LINE = {"modes": 4, "width": 3, "signal_resolution": 10, "nlayers": 1, "weight_init": 1}
SQUARE = {"modes": 24, "signal_resolution": [32, 32], "channel_exponent": 1, "perform_inverse": False}


def released(build, options) -> torch.nn.Module:
    network = build("T1", options, {}).network.double()
    noise = torch.Generator().manual_seed(5)
    for p in network.parameters():
        p.data = 0.3 * torch.randn(p.shape, dtype=p.dtype, generator=noise)
    return network.eval()


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("build", "options", "n"), [(t1_2d, PLANE, 9), (t1_1d, LINE, 13)])
def test_it_is_our_network_on_cosines_at_one_resolution(build, options, n):
    theirs = released(build, options)
    d = len(theirs.modes)
    scale = n ** (d / 2)
    ours = T1(
        1,
        1,
        width=3,
        depth=options["nlayers"],
        modes=4,
        activation="sine",
        head_activation="sine",
        coordinates="ends",
        scale=scale,
        domain=Domain.unit(d, "neumann"),
    ).double()
    state = {key: value for key, value in theirs.state_dict().items() if not key.startswith("fc")}
    head = {"inner.weight": theirs.fc1.T, "outer.weight": theirs.fc2.T, "constant": torch.zeros(1, *(1,) * d)}
    ours.load_state_dict({**state, **head})
    x = random(2, *(n,) * d)
    torch.testing.assert_close(ours(x[:, None])[:, 0], theirs(x), rtol=0, atol=1e-12)


def test_high_coefficients_are_kept_but_for_one_corner():
    net = released(t1_2d, {**PLANE, "keep_high": True, "perform_inverse": False, "perform_forward": False})
    assert isinstance(net, ReleasedT1)
    kept = net._high((10, 10)).int()
    assert kept[:, 4:].all() and kept[4:6].all()
    assert not kept[:4, :4].any() and not kept[6:, :4].any()
    assert not net._high((7, 7))[:, :4].any()
    z = random(2, 3, 10, 10)
    torch.testing.assert_close(net._truncated(z)[..., 4:], z[..., 4:])
    assert (net._truncated(z)[..., 6:, :4] == 0).all()


@pytest.mark.parametrize("transform", ["dct", "dft"])
@pytest.mark.parametrize(
    "options",
    [
        {"in_channels": 2, "out_channels": 3},
        {"padding": 4},
        {"keep_high": True, "residual": False},
        {"perform_inverse": False},
        {"act": "tanh"},
        {"nlayers": 0},
    ],
    ids=str,
)
def test_options_of_the_line_run(transform, options):
    net = released(t1_1d, {**LINE, "transform": transform, **options})
    x = random(2, 2, 10) if "in_channels" in options else random(2, 10)
    y = net(x)
    n = 10 + options.get("padding", 0)
    n = n // 2 + 1 if transform == "dft" and not options.get("perform_inverse", True) else n
    assert y.shape == ((2, 3, n) if "out_channels" in options else (2, n))
    assert float(y.detach().abs().max()) > 0


def test_cosines_end_with_a_full_spectrum():
    u = random(2, 1, 6, 5)
    torch.testing.assert_close(cosines(u).square().sum(), u.square().sum())


@pytest.mark.parametrize("modes", SHAPES)
def test_every_published_unet_fits_its_modes(modes):
    resolution = [modes + 2, modes + 3]
    net = released(t1u_2d, {**SQUARE, "modes": modes, "channel_exponent": 0, "signal_resolution": resolution})
    x = random(1, *resolution)
    c = net(x)
    assert c.shape == (1, *resolution)
    assert (c[:, modes:] == 0).all() and (c[:, :, modes:] == 0).all() and c.abs().max() > 0


def test_the_unet_without_its_layer_needs_no_weights_of_it():
    published = t1u_2d("T1U_2d", {**SQUARE, "use_operator_layer": False, "anything": "else", "in_channels": 2}, {})
    assert published.network(torch.randn(1, 2, 32, 32)).shape == (1, 32, 32)
    assert published.unused == r"op_layer\..*"


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("T1_2d", {**PLANE, "transform": "dft"}, "transform='dft' raises an error in the published class"),
        ("T1_2d", {**PLANE, "weight_init": 5}, "weight_init=5 raises an error"),
        ("T1_1d", {**LINE, "weight_init": 2}, "weight_init=2 raises an error"),
        ("T1_1d", {**LINE, "mode": 2}, "unknown option 'mode': did you mean 'modes'"),
        ("T1_1d", {"width": 3}, "the option 'modes' is required"),
        ("T1U_2d", {**SQUARE, "perform_inverse": True}, "perform_inverse=True raises an error"),
        ("T1U_2d", {**SQUARE, "modes": 25}, r"modes=25 raises an error .* \[24, 36, 64"),
        ("T1U_2d", {**SQUARE, "modes": 36, "in_channels": 2}, "one input channel only"),
        ("T1U_2d", {**SQUARE, "transform": "dft"}, "transform='dft' raises an error"),
    ],
)
def test_what_never_ran_is_refused_by_name(name, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        from_authors({"cls": name, "kwargs": options}, {})


def test_grids_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="takes 1 channels on a square grid"):
        released(t1_2d, PLANE)(random(1, 8, 9))
    with pytest.raises(ValueError, match=r"has \(4, 4\) modes, more than the grid \(3, 3\)"):
        released(t1_2d, PLANE)(random(1, 3, 3))
    with pytest.raises(ValueError, match="has 4 modes, the grid carries only 3"):
        released(t1_1d, {**LINE, "transform": "dft"})(random(1, 4))
    with pytest.raises(ValueError, match="24 x 24 points"):
        released(t1u_2d, SQUARE)(random(1, 20, 20))
