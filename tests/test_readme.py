"""The README's Python runs as it stands, but for sizes."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
SMALLER = {
    "samples=256, resolution=64": "samples=160, resolution=16, progress=False",
    'network="mgno", loss="bound"': (
        'network={"name": "mgno", "levels": 3, "width": 4}, resolution=16, steps=2, validation_samples=2, '
        'accelerator="cpu", loss="bound"'
    ),
}


@pytest.mark.slow
def test_the_python_block(tmp_path, monkeypatch):
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(block.strip().splitlines()) <= 15
    for said, smaller in SMALLER.items():
        assert said in block
        block = block.replace(said, smaller)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(block, names)
    assert bool(names["solution"].verified.all())
    assert bool((names["bound"].value <= names["answer"].bound * (1 + 1e-9)).all())
    assert (tmp_path / "run" / "report.html").exists()
