"""Makes the example evaluation available to the tests of this folder."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """The module `example` beside this file."""
    spec = importlib.util.spec_from_file_location("analysis_example", Path(__file__).with_name("example.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
