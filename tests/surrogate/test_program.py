"""Networks leave Python: every one of them, in every format, computes the same outside."""

import json
from typing import Any

import onnxruntime
import pytest
import torch
from torch import nn
from torch.export import Dim

from vcycle.networks import NETWORKS, Normalised, build
from vcycle.networks.equilibrium import NotConverged
from vcycle.operators import Affine
from vcycle.spaces import Domain
from vcycle.surrogate import Ensemble, Surrogate, write_program
from vcycle.surrogate.program_formats import FORMATS, format_named

BOX = Domain.unit(2)
TINY: dict[str, dict[str, Any]] = {
    "mgno": {"width": 4, "depth": 1, "levels": 2, "exact_boundary": True},
    "fno": {"width": 4, "depth": 1, "modes": 4},
    "deeponet": {"rank": 4, "width": 4, "sensors": 4, "branch_depth": 1, "trunk_depth": 1},
    "multionet": {"width": 4, "depth": 1, "layers": 1, "sensors": 4},
    "lno": {"width": 4, "depth": 1, "rank": 2, "kernel_width": 4},
    "mono": {"width": 4, "depth": 1, "rank": 4, "tree_depth": 1, "sensors": 4, "expert": "lno"},
    "transformer": {"width": 8, "depth": 1, "heads": 2, "points": 64, "modes": 4, "decoder_width": 4},
    "unet": {"width": 4, "levels": 2},
    "sinenet": {"width": 4, "waves": 1, "levels": 2},
    "t1": {"width": 4, "depth": 1, "modes": 4, "head_width": 4},
    "sfno": {"width": 4, "depth": 1, "modes": 4},
    "implicit": {"width": 4, "modes": 4, "rate": 0.5, "most": 2},
    "lsm": {"width": 4, "levels": 2, "tokens": 2, "frequencies": 2},
}
# Traced for any number of samples, which takes twice the time; the others for two.
ANY_BATCH = ("mgno",)
# Options that ONNX has no operation for, and the one that is missing: Anderson acceleration solves linear systems.
CANNOT = [("implicit", {"window": 2, "most": 3}, "linalg_solve")]


def surrogate(name: str, channels: int = 1, **options: Any) -> Surrogate:
    """In physical units: the logarithm of a positive input and a shift and a scale at either end."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        bare = build({"name": name, **TINY[name], **options}, channels, 1, BOX)
    encode, decode = (Affine.identity(n, 2) for n in (channels, 1))
    encode.shift += 0.3
    decode.scale *= 4.0
    log = [True] + [False] * (channels - 1)
    return Surrogate(Normalised(bare, encode, decode, log=log).eval(), BOX, ("a", "f")[:channels], ("u",))


def inputs(samples: int, channels: int = 1) -> torch.Tensor:
    return torch.rand(samples, channels, 16, 16, generator=torch.Generator().manual_seed(1)) + 0.5


def same(found: torch.Tensor, expected: torch.Tensor) -> None:
    """To single-precision rounding, relative to the largest value."""
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5 * float(expected.abs().max()))


def test_every_network_is_tested():
    assert set(TINY) == set(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_the_same_as_a_program_and_in_onnx(name, tmp_path):
    network, x = surrogate(name).network, inputs(2)
    others = [inputs(1), inputs(5)] if name in ANY_BATCH else []
    with torch.no_grad():
        program = torch.export.export(network, (x,), dynamic_shapes=({0: Dim("batch")},) if others else None)
        FORMATS["onnx"].write(program, tmp_path / "x.onnx")
        for run in (program.module(), FORMATS["onnx"].read(tmp_path / "x.onnx")):
            for given in (x, *others):
                same(run(given), network(given))


@pytest.mark.parametrize(("name", "options", "missing"), CANNOT)
def test_what_onnx_cannot_is_said_with_what_is_missing(name, options, missing, tmp_path):
    with pytest.raises(ValueError, match=f"onnx has no form of this network .*{missing}.*: export to torch"):
        write_program(surrogate(name, **options), inputs(2), tmp_path / "x", "onnx", any_batch=False)
    assert not list(tmp_path.iterdir())


def test_an_onnx_program_of_an_ensemble_takes_any_number_of_samples_and_says_what_it_is(tmp_path):
    members = [surrogate("fno", 2, activation=sigma).network for sigma in ("gelu", "tanh")]
    several = Surrogate(Ensemble(members).eval(), BOX, ("a", "f"), ("u",))
    program = write_program(several, inputs(3, 2), tmp_path / "new" / "u", "onnx")
    assert program.file == tmp_path / "new" / "u.onnx"
    assert 0 < program.difference < 2e-5 < program.tolerance
    session = onnxruntime.InferenceSession(program.file)
    for samples in (1, 7):
        (u,) = session.run(["outputs"], {"inputs": inputs(samples, 2).numpy()})
        same(torch.from_numpy(u), several.network(inputs(samples, 2)).detach())
    about = json.loads(program.description.read_text("utf-8"))
    single = {"axes": ["batch", "channel", "x", "y"], "dtype": "float32"}
    assert about["input"] == {"name": "inputs", "channels": ["a", "f"], "shape": ["any", 2, 16, 16], **single}
    assert about["output"] == {"name": "outputs", "channels": ["u"], "shape": ["any", 1, 16, 16], **single}
    assert about["grid"]["first"] == [1 / 32, 1 / 32] and about["grid"]["spacing"] == [1 / 16, 1 / 16]
    assert about["domain"] == BOX.to_dict() and about["difference"] == program.difference


def test_a_double_precision_network_stays_so_but_in_onnx(tmp_path):
    single = surrogate("fno")
    double = Surrogate(single.network.double(), BOX, ("a",), ("u",))
    x = inputs(2).double()
    with torch.no_grad():
        expected = double.network(x)
    exact = write_program(double, x, tmp_path / "u", "torch", any_batch=False)
    assert exact.tolerance == 2**-26 and exact.difference < 1e-14
    torch.testing.assert_close(torch.export.load(exact.file).module()(x), expected, rtol=0, atol=1e-12)
    rounded = write_program(double, x, tmp_path / "u", "onnx", any_batch=False)
    assert 1e-9 < rounded.difference < 2e-5 < rounded.tolerance
    assert next(double.network.parameters()).dtype == torch.float64


def test_where_the_network_refuses_an_input_its_program_says_nan(tmp_path):
    good, bad = inputs(2), inputs(2)
    bad[1] = -1.0
    s = surrogate("fno")
    program = torch.export.load(write_program(s, good, tmp_path / "u", "torch").file).module()
    with pytest.raises(ValueError, match="must be positive"):
        s.network(bad)
    found = program(bad)
    assert bool(found[0].isfinite().all()) and bool(found[1].isnan().all())
    hasty = surrogate("implicit", step="cycle", levels=2, most=1, tolerance=1e-9).network
    with pytest.raises(NotConverged):
        hasty(good)
    assert bool(torch.export.export(hasty, (good,)).module()(good).isnan().all())


class Twofaced(nn.Module):
    """Another function when traced."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return (2 if torch.compiler.is_compiling() else 1) * self.one * x


class Undecided(Twofaced):
    """Which function depends on the values."""

    def forward(self, x):
        return self.one * x if float(x.sum()) > 0 else x


@pytest.mark.parametrize(
    ("network", "x", "sentence"),
    [
        (Twofaced(), inputs(2), r"differs from the network by 1.0e\+00 of its largest value, more than 3.5e-04"),
        (Undecided(), inputs(2), "cannot be written down as one program .* use it from Python"),
        (torch.sin, inputs(2), "only a torch.nn.Module can be exported"),
        (Twofaced(), inputs(1), "needs two or more to trace it"),
    ],
)
def test_what_is_no_program_is_refused_and_not_kept(network, x, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        write_program(Surrogate(network, BOX, ("a",), ("u",)), x, tmp_path / "u", "torch")
    assert not list(tmp_path.iterdir())


def test_what_a_format_needs_is_named(monkeypatch, tmp_path):
    s = surrogate("fno")
    missing = torch._inductor.config.patch({"cpp.cxx": (None, "no-such-compiler")})
    with missing, pytest.raises(ValueError, match="needs a C\\+\\+ compiler and none was found: install g\\+\\+"):
        write_program(s, inputs(2), tmp_path / "u", "aoti")
    monkeypatch.setattr("vcycle.surrogate.program_formats.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'vcycle\[onnx\]'"):
        write_program(s, inputs(2), tmp_path / "u", "onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_machine_code_computes_the_same(tmp_path):
    try:
        FORMATS["aoti"].require()
    except ValueError as error:
        pytest.skip(str(error))
    s = surrogate("mgno")
    program = write_program(s, inputs(3), tmp_path / "u", "aoti")
    assert program.file.suffix == ".pt2" and program.difference < 2e-5
    run = torch._inductor.aoti_load_package(str(program.file))
    same(run(inputs(5)), s.network(inputs(5)).detach())


def test_a_format_that_does_not_exist_is_met_with_those_that_do():
    with pytest.raises(ValueError, match="unknown format 'foo': expected one of torch, aoti, onnx"):
        format_named("foo")
    with pytest.raises(ValueError, match="unknown format 'onxn': did you mean 'onnx'"):
        format_named("onxn")
