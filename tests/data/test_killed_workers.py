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


@pytest.mark.parametrize("deadly", [{3}, {0, 1}, {2, 5, 7}, {0, 1, 2, 3, 4, 5, 6, 7}])
def test_units_that_kill_twice_are_given_up_after_all_others_are_done(tmp_path, deadly):
    """The first too: with two workers, 0 and 1 are in work when nothing is done yet."""
    units, found = [(n, "") for n in range(8)], []
    for n in deadly:
        (tmp_path / str(n)).mkdir()
        units[n] = (n, bullets(tmp_path / str(n), 9))
    with pytest.raises(DataError, match=r"every process that took it up died, .*; all else is done") as caught:
        for result in Processes(2).run(square, units):
            found.append(result)
    assert sorted(found) == [n**2 for n in range(8) if n not in deadly]
    assert [n for n in range(8) if f"({n}, " in str(caught.value)] == sorted(deadly)
    assert all(len(list((tmp_path / str(n)).iterdir())) in (7, 8) for n in deadly)


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
