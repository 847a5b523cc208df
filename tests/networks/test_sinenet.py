import itertools

import pytest
import torch

from vcycle.networks import SineNet, from_authors
from vcycle.networks.wave import Wave
from vcycle.operators import Average, Interpolation, Stencil, count_parameters
from vcycle.spaces import Domain

SMALL = {"width": 4, "waves": 2, "levels": 3, "multiplier": 1.5}


def parameters(**options) -> int:
    """Of the published size, without the memory."""
    with torch.device("meta"):
        return count_parameters(SineNet(12, 3, **{"width": 64, "levels": 5} | options))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"waves": 8, "multiplier": 1.425}, 35_490_219),
        ({"waves": 6, "multiplier": 1.5}, 35_475_499),
        ({"waves": 4, "multiplier": 1.611}, 35_493_699),
        ({"waves": 2, "multiplier": 1.8075}, 35_499_989),
        ({"waves": 1, "multiplier": 2.0, "width": 128}, 135_094_659),
        ({"waves": 1, "multiplier": 2.0}, 33_788_099),
        ({"waves": 8, "multiplier": 1.425, "disentangled": False}, 32_831_403),
        ({"waves": 1, "multiplier": 1.425, "blocks": 8}, 28_628_084),
    ],
)
def test_the_published_numbers_of_parameters(options, expected):
    assert parameters(**options) == expected


def test_channels_are_truncated():
    assert SineNet(1, 1, width=64, levels=5, waves=1, multiplier=1.425).widths == (64, 91, 129, 185, 263)


def test_the_defaults_have_about_the_parameters_of_the_other_networks():
    assert 5e5 < count_parameters(SineNet(1, 1)) < 7e5


def test_disentangled_blocks_see_the_channels_of_the_wave_from_the_third_grid_on():
    def seen(disentangled: bool) -> list[int]:
        network = SineNet(1, 1, width=6, waves=1, levels=5, multiplier=1.5, disentangled=disentangled)
        return [chain.blocks[0].layers[0].W.source.channels for chain in network.waves[0].D]

    assert [more - less for more, less in zip(seen(True), seen(False), strict=True)] == [0, 6, 6, 6]


def test_the_pooled_input_reaches_the_coarse_levels_directly():
    """Without the way through the first block, a disentangled wave still depends on its input, a tangled one not."""
    for disentangled in (True, False):
        network = SineNet(1, 1, **SMALL, disentangled=disentangled)
        wave = network.waves[0]
        seen: list[torch.Tensor] = []
        wave.D[0].register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
        wave.D[1].register_forward_hook(lambda module, inputs, output, seen=seen: seen.append(output))
        for seed in (1, 2):
            network(torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(seed)))
        assert torch.equal(*seen) != disentangled


def silence(wave: Wave) -> None:
    """The last layer and the shortcut of the wave's last block give 0."""
    block = wave.C[0].blocks[-1]
    for part in (block.layers[-1].W, block.S):
        for parameter in part.parameters():
            torch.nn.init.zeros_(parameter)


@pytest.mark.parametrize("norm", [None, "group", "layer"])
def test_a_silent_wave_is_the_identity(norm):
    network = SineNet(2, 3, **SMALL, norm=norm).double()
    for wave in network.waves:
        silence(wave)
    x = torch.randn(2, 2, 8, 12, dtype=torch.float64)
    assert torch.equal(network(x), network.project(network.lift(x.to(memory_format=torch.channels_last))))


def test_without_residual_a_silent_wave_is_zero():
    network = SineNet(2, 3, **SMALL, residual=False).double()
    silence(network.waves[-1])
    x = torch.randn(2, 2, 8, 12, dtype=torch.float64)
    assert torch.equal(network(x)[0], network.project(torch.zeros(1, 4, 8, 12, dtype=torch.float64))[0])


@pytest.mark.parametrize(
    ("norm", "pooling", "interpolation"), [("group", "average", "cubic"), ("layer", "max", "linear")]
)
def test_on_periodic_domains_it_commutes_with_shifts_by_a_coarsest_cell_and_with_no_less(norm, pooling, interpolation):
    torch.manual_seed(1)
    options = {"norm": norm, "pooling": pooling, "interpolation": interpolation}
    network = SineNet(
        1, 1, width=4, waves=2, levels=5, multiplier=1.3, coordinates=None, domain=Domain.unit(2, "periodic"), **options
    )
    network.double()
    x = torch.randn(1, 1, 32, 48, dtype=torch.float64)
    y = network(x).detach()

    def defect(shift: tuple[int, int]) -> float:
        shifted = network(x.roll(shift, (2, 3))).detach()
        return float((shifted - y.roll(shift, (2, 3))).abs().max() / y.abs().max())

    assert defect((16, 0)) < 1e-12
    assert defect((0, 16)) < 1e-12
    for shift in ((1, 0), (0, 1), (8, 0)):
        assert defect(shift) > 1e-6


def test_one_periodic_axis_is_enough():
    domain = Domain([1.0, 1.0], ["periodic", ("dirichlet", "neumann")])
    network = SineNet(1, 1, **SMALL, domain=domain).double()
    x = torch.randn(1, 1, 16, 12, dtype=torch.float64)
    torch.testing.assert_close(network(x.roll(4, 2)), network(x).roll(4, 2), rtol=0, atol=1e-13)
    assert not torch.allclose(network(x.roll(4, 3)), network(x).roll(4, 3), rtol=0, atol=1e-3)


def test_the_parts_see_the_boundary_conditions():
    domain = Domain([1.0, 1.0], ["periodic", ("dirichlet", "neumann")])
    network = SineNet(1, 1, **SMALL, domain=domain)
    faces = {module.faces for module in network.modules() if isinstance(module, Stencil)}
    assert faces == {(("circular", "circular"), ("zeros", "replicate"))}
    faces = {module.faces for module in network.modules() if isinstance(module, Interpolation)}
    assert faces == {(("circular", "circular"), ("replicate", "replicate"))}


@pytest.mark.parametrize("shape", [(15, 16), (16, 18), (2, 16)])
def test_sizes_that_cannot_be_halved_are_refused(shape):
    with pytest.raises(ValueError, match="must be divisible by 4"):
        SineNet(1, 1, **SMALL)(torch.zeros(1, 1, *shape))


def test_a_coarsest_periodic_grid_of_one_point_is_refused():
    with pytest.raises(ValueError, match="take a finer grid or fewer levels"):
        SineNet(1, 1, **SMALL, domain=Domain.unit(2, "periodic"))(torch.zeros(1, 1, 4, 4))


def test_a_level_without_channels_is_refused():
    with pytest.raises(ValueError, match="a level without channels"):
        SineNet(1, 1, width=4, multiplier=0.4)
    with pytest.raises(ValueError, match="expected levels >= 2, got 1"):
        SineNet(1, 1, levels=1)


@pytest.mark.parametrize(("boundary", "d"), list(itertools.product(("periodic", "neumann"), (1, 2, 3))))
def test_it_leaves_python_whatever_the_boundary(boundary, d):
    network = SineNet(1, 2, width=2, waves=1, levels=2, multiplier=1.5, domain=Domain.unit(d, boundary)).eval()
    x = torch.randn(1, 1, *(8, 4, 4)[:d])
    program = torch.export.export(network, (x,))
    torch.testing.assert_close(program.module()(x), network(x), rtol=1e-5, atol=1e-6)


def test_pooling_and_interpolation_are_operators_on_every_level():
    wave = SineNet(1, 1, **SMALL).waves[0]
    assert [A.source.channels for A in wave.A if isinstance(A, Average)] == [4, 6]
    assert [P.source.channels for P in wave.P] == [6, 9]


def published(**changes) -> dict:
    counts = {"n_input_scalar_components": 1, "n_input_vector_components": 0}
    counts |= {"n_output_scalar_components": 1, "n_output_vector_components": 0}
    kwargs = {"time_history": 1, "time_future": 1, "hidden_channels": 2, "padding_mode": "zeros"}
    return {"cls": "sinenet", "kwargs": counts | kwargs | changes}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_layers": 3}, "num_layers=3 has no counterpart"),
        ({"down_pool": False}, "down_pool=False has no counterpart"),
        ({"up_interpolation": False}, "up_interpolation=False has no counterpart"),
        ({"interpolation_mode": "trilinear"}, "interpolation_mode='trilinear' has no counterpart"),
        ({"padding_mode": "same"}, "padding_mode='same' has no counterpart"),
        ({"activation": "elu"}, "activation='elu' has no counterpart"),
        ({"multiplier": 2}, "unknown option 'multiplier'"),
    ],
)
def test_what_the_released_class_cannot_do_is_refused_by_name(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        from_authors(published(**changes), {})
