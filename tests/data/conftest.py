from pathlib import Path

import pytest

from vcycle.data import Dataset, generate
from vcycle.problems import Darcy


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of 22 Darcy samples at 16 x 16 in shards of 4; tests that change it copy it first."""
    folder = tmp_path_factory.mktemp("generated") / "darcy"
    generate(Darcy(), 22, 16, 3, folder, workers=1, shard_size=4, verify_every=8, progress=False)
    return folder


@pytest.fixture
def dataset(generated: Path) -> Dataset:
    return Dataset.open(generated)
