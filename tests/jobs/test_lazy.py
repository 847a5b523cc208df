"""Everything is there from the first import, and nothing is loaded before it is used."""

import subprocess
import sys

import vcycle
from vcycle.spaces import Domain


def test_importing_vcycle_loads_no_torch_and_a_name_loads_what_it_needs():
    code = (
        "import sys, vcycle; assert 'torch' not in sys.modules;"
        "vcycle.Domain.unit(2); assert 'torch' in sys.modules;"
        "vcycle.predict; assert 'lightning_fabric' not in sys.modules and 'matplotlib' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_verbs_are_functions_whatever_was_imported_before():
    code = "import vcycle.jobs._train, vcycle; assert vcycle.train is vcycle.jobs.train is vcycle.jobs._train.train"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_names_are_listed():
    assert {"Domain", "generate", "train", "evaluate", "predict", "solve", "load"} <= set(dir(vcycle))
    assert vcycle.Domain is Domain
