"""The same bytes from this process, from a pool and from a Dask cluster."""

import hashlib
import importlib
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from data.deadly import Deadly
from data.test_killed_workers import bullets
from vcycle.data import Dask, DataError, Processes, Serial, dask_executor, generate
from vcycle.jobs import generate as by_name
from vcycle.problems import Darcy, LogNormal


def contents(folder):
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob("part-*.h5"))]


@contextmanager
def cluster(**options):
    """The address of a cluster of one worker whose scheduler gives a unit up at the first death."""
    distributed, dask = pytest.importorskip("distributed"), pytest.importorskip("dask")
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0", **options}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(**options, silence_logs="CRITICAL") as started,
    ):
        yield started.scheduler_address


@pytest.fixture(scope="module")
def scheduler():
    """A worker in this process, which starts at once; messages are pickled all the same."""
    with cluster(processes=False, protocol="tcp://") as address:
        yield address


def test_every_engine_writes_the_same_bytes(scheduler, tmp_path):
    engines = {"serial": Serial(), "pool": Processes(1), "dask": Dask(scheduler)}
    found = []
    for name, engine in engines.items():
        generate(Darcy(prior=LogNormal()), 10, 16, 3, tmp_path / name, shard_size=3, executor=engine, progress=False)
        found.append(contents(tmp_path / name))
    assert len(found[0]) == 4 and found[0] == found[1] == found[2]
    by_name(Darcy(prior=LogNormal()), 10, 16, 3, tmp_path / "named", shard_size=3, executor="dask", scheduler=scheduler)
    assert contents(tmp_path / "named") == found[0]


def test_an_error_of_a_unit_is_the_error_of_the_run(scheduler):
    with pytest.raises(ZeroDivisionError):
        list(Dask(scheduler).run(divmod_of, [1, 0]))


def divmod_of(number):
    return 1 // number


def test_a_unit_that_is_given_up_twice_is_named_after_all_others_are_done(scheduler, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    folders = {2: bullets(tmp_path / "one", 1), 3: bullets(tmp_path / "many", 9)}
    units, found = [(n, folders.get(n, "")) for n in range(6)], []
    with pytest.raises(DataError, match=r"^\(3, .*\): every process that took it up died, .*; all else is done"):
        for result in Dask(scheduler).run(given_up, units):
            found.append(result)
    assert sorted(found) == [0, 1, 2, 4, 5]
    assert (len(list((tmp_path / "one").iterdir())), len(list((tmp_path / "many").iterdir()))) == (0, 7)


def given_up(unit):
    """What Dask reports of a unit whose workers died, as often as there are files left in the folder given."""
    number, folder = unit
    for bullet in Path(folder).glob("bullet-*") if folder else ():
        bullet.unlink()
        last = SimpleNamespace(address="tcp://127.0.0.1:1")
        raise importlib.import_module("distributed.scheduler").KilledWorker(str(number), last, 0)
    return number


@pytest.mark.slow
def test_a_shard_that_kills_every_worker_is_named_and_the_data_are_resumed(tmp_path):
    (tmp_path / "bullets").mkdir()
    problem = Deadly(folder=bullets(tmp_path / "bullets", 2))
    settings = {"shard_size": 4, "verify_every": 0, "progress": False}
    named = r"^shard 1 of .* \(samples 4 to 7 of seed 3\): every process that took it up died"
    with cluster(processes=True) as address, pytest.raises(DataError, match=named):
        generate(problem, 12, 16, 3, tmp_path / "d", executor=Dask(address), **settings)
    assert sorted(f.name for f in (tmp_path / "d").glob("part-*.h5")) == ["part-00000.h5", "part-00002.h5"]
    assert list((tmp_path / "bullets").iterdir()) == []
    generate(problem, 12, 16, 3, tmp_path / "d", executor=Serial(), **settings)
    generate(problem, 12, 16, 3, tmp_path / "e", executor=Serial(), **settings)
    assert contents(tmp_path / "d") == contents(tmp_path / "e")


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(dask_executor, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"needs dask\[distributed\]: pip install 'vcycle\[dask\]'"):
        Dask("tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"executor": "dask"}, "--scheduler is the address of a Dask cluster"),
        ({"scheduler": "tcp://x:1"}, "--scheduler is the address of a Dask cluster"),
        ({"executor": "serial", "workers": 2}, "--executor serial has none"),
    ],
)
def test_executors_that_contradict_the_rest_are_refused(tmp_path, options, sentence):
    with pytest.raises(DataError, match=sentence):
        by_name(Darcy(), 4, 16, 0, tmp_path / "d", **options)
