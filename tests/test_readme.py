"""The README's Python runs as it stands, but for sizes; command lines, there and in docs, have options that exist."""

import re
import shlex
from pathlib import Path

import pytest

from vcycle.app.cli import CONFIGURED, VERBS, main
from vcycle.app.parser import build_parser

README = Path(__file__).parents[1] / "README.md"
SMALLER = {
    "samples=256, resolution=64": "samples=160, resolution=16, progress=False",
    'network="mgno", loss="bound"': (
        'network={"name": "mgno", "levels": 3, "width": 4}, resolution=16, steps=2, validation_samples=2, '
        'accelerator="cpu", loss="bound"'
    ),
}
DOCS = [README, *sorted((README.parent / "docs").glob("*.md"))]
LINES = [
    pytest.param(line, id=f"{file.stem}: {line[:40].strip()}")
    for file in DOCS
    for line in re.findall(r"^ *vcycle (.*)$", file.read_text(encoding="utf-8").replace("\\\n", " "), re.MULTILINE)
]


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


def test_there_are_command_lines():
    assert len(LINES) > 30


@pytest.mark.parametrize("line", LINES)
def test_the_options_of_a_command_line_exist(line, tmp_path, monkeypatch):
    words = shlex.split(line, comments=True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").symlink_to(README.parent / "recipes")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("{problem: darcy, out: run}")
    if words[0] in CONFIGURED:
        assert main([*words, "--print-config"]) == 0
    else:
        build_parser(dict.fromkeys(VERBS, "About.")).parse_args(words)
