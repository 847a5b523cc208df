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


def test_damaged_records_are_told_from_those_of_others(tmp_path, generated):
    (tmp_path / "manifest.json").write_bytes((generated / "manifest.json").read_bytes()[:300])
    with pytest.raises(DataError, match=r"manifest.json is damaged .* remove the data folder and run the command that"):
        generate(Darcy(), 22, 16, 3, tmp_path, progress=False)


@pytest.mark.parametrize("name", ["config.yaml", "weights.safetensors", "part-00007.h5", "notes/mine.txt"])
def test_a_folder_of_others_is_left_alone(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(
        DataError, match="is not empty and its files belong to no run of generate: choose another folder"
    ):
        generate(Darcy(), 4, 16, 0, tmp_path, progress=False)
    assert [file.name for file in tmp_path.iterdir()] == [name.split("/")[0]]


def test_a_run_killed_before_its_first_record_begins_again(tmp_path):
    (tmp_path / "unfinished").mkdir()
    assert len(generate(Darcy(), 4, 16, 0, tmp_path, workers=1, progress=False)) == 4
