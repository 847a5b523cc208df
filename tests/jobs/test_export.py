"""`vcycle export`: a stranger's Python, without vcycle, gives the answers of `vcycle predict`."""

import subprocess
import sys

import numpy as np
import pytest
import yaml

import vcycle
from vcycle.app.cli import main

TINY = {
    "network": {"name": "mgno", "width": 4, "depth": 1, "levels": 2},
    "steps": 4,
    "batch": 4,
    "validation_samples": 4,
    "accelerator": "cpu",
    "threads": 1,
}
# What a stranger writes who has a file and no vcycle.
RUN = {
    "torch": "import torch; run = lambda x: torch.export.load(file).module()(torch.from_numpy(x)).detach().numpy()",
    "onnx": "import onnxruntime; run = lambda x: onnxruntime.InferenceSession(file).run(None, {'inputs': x})[0]",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Trained on the equation, with five inputs."""
    folder = tmp_path_factory.mktemp("runs") / "darcy"
    vcycle.train(TINY, problem="darcy", resolution=16, loss="bound", out=str(folder))
    a = vcycle.problems.Darcy().sample((16, 16), 5, range(5)).numpy()
    np.save(folder / "a.npy", a)
    return folder


@pytest.mark.parametrize("format", RUN)
def test_outside_as_inside(format, run, tmp_path, capsys):
    assert main(["export", str(run), "--format", format, "--out", str(tmp_path / "u")]) == 0
    file, description = (next(tmp_path.glob(f"u.*{end}")) for end in ("[2x]", ".json"))
    said = capsys.readouterr().out
    assert f"{format} program for any number of samples at 16 × 16" in said
    assert "refused beyond 3.5e-04" in said and f"written to {file}, described in {description}" in said
    code = (
        f"import sys, numpy as np; file = {str(file)!r}; {RUN[format]}\n"
        f"np.save({str(tmp_path / 'u.npy')!r}, run(np.load({str(run / 'a.npy')!r}).astype('float32')))\n"
        "assert 'vcycle' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    expected = vcycle.predict(run, run / "a.npy").prediction.value.numpy()
    np.testing.assert_allclose(np.load(tmp_path / "u.npy"), expected, rtol=0, atol=2e-5 * np.abs(expected).max())


def test_batch_and_resolution_are_those_asked_for(run, tmp_path):
    exported = vcycle.export(run, tmp_path / "u", "torch", batch=1, resolution=[24, 32])
    assert (exported.shape, exported.batch) == ((24, 32), 1)
    assert "torch program for one sample at 24 × 32" in str(exported)
    with pytest.raises(ValueError, match=r"one number of points, or one for each of 2 axes, got \[1, 2, 3\]"):
        vcycle.export(run, tmp_path / "u", "torch", resolution=[1, 2, 3])
    with pytest.raises(ValueError, match="one sample a call or more, got 0"):
        vcycle.export(run, tmp_path / "u", "torch", batch=0)


def test_where_no_equation_is_known_inputs_are_noise_like_those_of_the_training(run, tmp_path):
    """Coefficients stay positive, so that their logarithm is no obstacle."""
    blind = tmp_path / "blind"
    blind.mkdir()
    about = yaml.safe_load((run / "surrogate.yaml").read_text("utf-8"))
    (blind / "surrogate.yaml").write_text(yaml.safe_dump({**about, "problem": None}), "utf-8")
    (blind / "weights.safetensors").write_bytes((run / "weights.safetensors").read_bytes())
    exported = vcycle.export(blind, tmp_path / "u", "torch")
    assert 0 <= exported.program.difference < 2e-5
