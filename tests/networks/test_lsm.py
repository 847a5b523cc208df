import pytest
import torch

from vcycle.networks import LSM
from vcycle.networks.spectral_unet import Halving
from vcycle.operators import count_parameters
from vcycle.spaces import Domain, Space

SMALL = {"width": 8, "levels": 3, "tokens": 2, "frequencies": 3}


def field(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def awake(network: LSM) -> LSM:
    """With open gates: at first the spectral blocks pass nothing."""
    for block in network.unet.blocks:
        torch.nn.init.normal_(block.gate)
    return network


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_parameters_at_the_defaults():
    assert count_parameters(LSM(1, 1)) == 681_313


def test_training_begins_with_the_unet():
    """The gates are closed; once they open, the ablation of P18 is another network."""
    network, plain = LSM(1, 1, **SMALL).double(), LSM(1, 1, **SMALL | {"tokens": 0}).double()
    plain.load_state_dict({k: v for k, v in network.state_dict().items() if ".blocks." not in k})
    u = field(2, 1, 16, 8)
    assert torch.equal(network(u), plain(u))
    assert not torch.allclose(awake(network)(u), plain(u))


@pytest.mark.parametrize("upsampling", ["linear", "learned"])
@pytest.mark.parametrize("axis", [2, 3])
def test_on_a_periodic_domain_it_commutes_with_shifts_of_a_coarse_patch(upsampling, axis):
    options = SMALL | {"patch": 2, "coordinates": None, "upsampling": upsampling}
    network = awake(LSM(2, 1, **options, domain=Domain.unit(2, "periodic")).double())
    u = field(1, 2, 16, 16)
    close(network(u.roll(8, axis)), network(u).roll(8, axis))
    assert not torch.allclose(network(u.roll(1, axis)), network(u).roll(1, axis))


@pytest.mark.parametrize("upsampling", ["linear", "ends", "learned"])
@pytest.mark.parametrize("norm", ["group", "batch", None])
def test_every_parameter_matters(upsampling, norm):
    network = awake(LSM(1, 2, **SMALL, upsampling=upsampling, norm=norm).double())
    network(field(2, 1, 16, 16)).pow(3).sum().backward()
    largest = {name: float(p.grad.abs().max()) for name, p in network.named_parameters()}
    assert min(largest.values()) > 1e-12 * max(largest.values())


def test_only_batch_normalisation_mixes_samples():
    u = field(3, 1, 8, 8)
    for norm, mixes in (("group", False), ("instance", False), ("batch", True), (None, False)):
        network = awake(LSM(1, 1, **SMALL, norm=norm).double().train())
        assert torch.allclose(network(u)[:1], network(u[:1]), rtol=0, atol=1e-12) != mixes


def test_a_patch_is_the_same_part_of_the_domain_at_every_resolution():
    network = LSM(1, 1, **SMALL)
    seen = []
    for block in network.unet.blocks:
        block.register_forward_pre_hook(lambda _, inputs: seen.append((inputs[0].shape[-1], inputs[1][-1])))
    network(torch.randn(1, 1, 16, 16))
    network(torch.randn(1, 1, 32, 32))
    assert seen == [(16, 4), (8, 4), (4, 4), (32, 8), (16, 8), (8, 8)]


def test_sizes_that_do_not_fit_are_refused_with_a_padding_that_does():
    u = torch.randn(1, 1, 13, 10)
    with pytest.raises(ValueError, match=r"choose padding=\(3, 2\), or another resolution"):
        LSM(1, 1, **SMALL)(u)
    assert LSM(1, 1, **SMALL, padding=(3, 2))(u).shape == (1, 1, 13, 10)
    with pytest.raises(ValueError, match=r"patches of \(3, 2\) points.* choose padding=\(11, 6\)"):
        LSM(1, 1, **SMALL, patch=(3, 2))(u)
    assert LSM(1, 1, **SMALL, patch=(3, 2), padding=(11, 6))(u).shape == (1, 1, 13, 10)


def test_padding_is_zeros_after_the_lifting():
    """Nothing of the input reaches the padded points but through stencils: a network of one grid sees zeros there."""
    options = {"width": 4, "levels": 1, "tokens": 0, "norm": None}
    network, padded = LSM(1, 1, **options), LSM(1, 1, **options, padding=3)
    padded.load_state_dict(network.state_dict())
    u = torch.randn(1, 1, 8, 8)
    out, expected = padded(u), network(u)
    assert out.shape == expected.shape
    torch.testing.assert_close(out[..., :-2, :-2], expected[..., :-2, :-2], rtol=0, atol=1e-6)
    assert not torch.allclose(out, expected)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_halving_makes_two_values_of_one_along_every_axis(dimension):
    domain = Domain.unit(dimension, "periodic")
    up = Halving(Space(domain, 4), Space(domain, 2)).double()
    out = up(field(1, 4, *(3,) * dimension))
    assert out.shape == (1, 2, *(6,) * dimension)
    u = field(1, 4, *(3,) * dimension)
    close(up(u.roll(1, 2)), up(u).roll(2, 2))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"patch": (2, 2, 2)}, r"got patch=\(2, 2, 2\) for 2 axes"),
        ({"patch": 0}, "got patch=0 for 2 axes.* each 1 or more"),
        ({"padding": -1}, "got padding=-1 for 2 axes.* each 0 or more"),
        ({"padding": (0, 2), "domain": Domain([1.0, 1.0], ["neumann", "periodic"])}, "a periodic axis has no end"),
        ({"heads": 3}, "8 channels out to 3 heads"),
        ({"upsampling": "ends", "domain": Domain.unit(2, "periodic")}, "both ends of a periodic axis are one point"),
    ],
)
def test_what_cannot_be_built_is_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        LSM(1, 1, **SMALL | options)
