"""A worker that is killed costs what it was working on, and nothing else."""

import pytest

from data.deadly import Deadly, square
from vcycle.data import DataError, Dataset, Processes, generate


def bullets(folder, number):
    for bullet in range(number):
        (folder / f"bullet-{bullet}").touch()
    return str(folder)


def test_all_results_come_though_a_worker_was_killed(tmp_path):
    folder = bullets(tmp_path, 1)
    units = [(n, folder if n == 3 else "") for n in range(8)]
    assert sorted(Processes(2).run(square, units)) == [n**2 for n in range(8)]
    assert list(tmp_path.iterdir()) == []


def test_a_unit_that_kills_twice_is_given_up_after_all_others_are_done(tmp_path):
    folder = bullets(tmp_path, 9)
    units = [(n, folder if n == 3 else "") for n in range(8)]
    found = []
    with pytest.raises(DataError, match=r"\(3, .*\): every process that took it up died, .*; all else is done"):
        for result in Processes(2).run(square, units):
            found.append(result)
    assert sorted(found) == [n**2 for n in range(8) if n != 3]
    assert len(list(tmp_path.iterdir())) == 7


@pytest.mark.slow
def test_a_killed_worker_costs_its_shard_only(tmp_path):
    (tmp_path / "bullets").mkdir()
    problem = Deadly(folder=bullets(tmp_path / "bullets", 2))
    settings = {"shard_size": 4, "verify_every": 0, "progress": False}
    with pytest.raises(DataError, match=r"shard 1 of .* \(samples 4 to 7 of seed 3\): every process"):
        generate(problem, 12, 16, 3, tmp_path / "d", executor=Processes(2), **settings)
    assert sorted(f.name for f in (tmp_path / "d").glob("part-*.h5")) == ["part-00000.h5", "part-00002.h5"]
    generate(problem, 12, 16, 3, tmp_path / "d", workers=1, **settings)
    undisturbed = generate(Deadly(folder=problem.folder), 12, 16, 3, tmp_path / "e", workers=1, **settings)
    assert Dataset.open(tmp_path / "d").manifest.splits == undisturbed.manifest.splits
