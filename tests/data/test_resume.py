import shutil

import pytest

from vcycle.data import DataError, Dataset, generate, read_own, store
from vcycle.data.files import write_record
from vcycle.data.resume import begin, flatten, resume
from vcycle.data.work import Work
from vcycle.problems import Darcy
from vcycle.spaces import Domain


def test_nested_settings_are_compared_leaf_by_leaf():
    assert flatten({"a": {"b": {"c": 1}, "d": [2, 3]}, "e": 4}) == {"a.b.c": 1, "a.d": [2, 3], "e": 4}


def test_imported_data_are_not_generated_over(tmp_path, generated):
    arrays = generated / "part-00000.h5"
    store(read_own({"train": arrays}, ["t0_fields/a"], ["t0_fields/u"], Domain.unit(2)), tmp_path)
    with pytest.raises(DataError, match="holds data that were imported, not generated: choose another folder"):
        generate(Darcy(), 4, 16, 0, tmp_path, progress=False)


def test_half_a_note_counts_as_none(tmp_path, generated):
    folder = tmp_path / "copy"
    shutil.copytree(generated, folder)
    manifest = Dataset.open(folder).manifest
    (folder / "manifest.json").unlink()
    begin(manifest.configuration, folder)
    for shard in manifest.shards:
        write_record(shard, folder / "unfinished" / shard.file.replace(".h5", ".json"))
    (folder / "unfinished" / "part-00001.json").write_text('{"file": "part-00')
    works = [Work(Darcy(), manifest.configuration, folder, number) for number in range(6)]
    assert sorted(resume(works, manifest.configuration, folder)) == [0, 2, 3, 4, 5]


def test_records_of_another_program_are_refused(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(DataError, match=r"holds records of another kind of run \(Manifest\): choose another folder"):
        generate(Darcy(), 4, 16, 0, tmp_path, progress=False)
