import pytest

from vcycle.data import DataError, generate, read_own, store
from vcycle.data.resume import flatten
from vcycle.problems import Darcy
from vcycle.spaces import Domain


def test_nested_settings_are_compared_leaf_by_leaf():
    assert flatten({"a": {"b": {"c": 1}, "d": [2, 3]}, "e": 4}) == {"a.b.c": 1, "a.d": [2, 3], "e": 4}


def test_imported_data_are_not_generated_over(tmp_path, generated):
    arrays = generated / "part-00000.h5"
    store(read_own({"train": arrays}, ["t0_fields/a"], ["t0_fields/u"], Domain.unit(2)), tmp_path)
    with pytest.raises(DataError, match="holds data that were imported, not generated: choose another folder"):
        generate(Darcy(), 4, 16, 0, tmp_path, progress=False)


def test_records_of_another_program_are_refused(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(DataError, match=r"holds records of another kind of run \(Manifest\): choose another folder"):
        generate(Darcy(), 4, 16, 0, tmp_path, progress=False)
