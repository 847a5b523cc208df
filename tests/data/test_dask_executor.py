"""The same bytes from this process, from a pool and from a Dask cluster."""

import hashlib
import importlib
import time
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
    """A cluster of one worker whose scheduler gives a unit up at the first death."""
    distributed, dask = pytest.importorskip("distributed"), pytest.importorskip("dask")
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0", **options}
    with (
        dask.config.set(
            {"distributed.scheduler.allowed-failures": 0, "distributed.deploy.lost-worker-timeout": "300s"}
        ),
        distributed.LocalCluster(**options, silence_logs="CRITICAL") as started,
    ):
        yield started


@pytest.fixture(scope="module")
def scheduler():
    """A worker in this process, which starts at once; messages are pickled all the same."""
    with cluster(processes=False, protocol="tcp://") as started:
        yield started.scheduler_address


def test_every_engine_writes_the_same_bytes(scheduler, tmp_path):
    engines = {"serial": Serial(), "pool": Processes(1), "dask": Dask(scheduler)}
    found = []
    for name, engine in engines.items():
        generate(Darcy(prior=LogNormal()), 10, 16, 3, tmp_path / name, shard_size=3, executor=engine, progress=False)
        found.append(contents(tmp_path / name))
    assert len(found[0]) == 4 and found[0] == found[1] == found[2]
    by_name(Darcy(prior=LogNormal()), 10, 16, 3, tmp_path / "named", shard_size=3, executor="dask", scheduler=scheduler)
    assert contents(tmp_path / "named") == found[0]


def test_a_run_whose_workers_are_gone_for_good_ends():
    with cluster(processes=False, protocol="tcp://") as started:
        results = Dask(started.scheduler_address, patience=0.4).run(slowly, range(9))
        next(results)
        started.scale(0)
        with pytest.raises(DataError, match=r"has had no worker for 0.4 s: .* run the same command again"):
            list(results)


def slowly(number):
    time.sleep(0.4)
    return number


def test_an_error_of_a_unit_is_the_error_of_the_run(scheduler):
    with pytest.raises(ZeroDivisionError):
        list(Dask(scheduler).run(divmod_of, [1, 0]))


def divmod_of(number):
    return 1 // number


@pytest.mark.parametrize("deadly", [{3}, {0, 4}, {0, 1, 3, 4, 5}, {0, 1, 2, 3, 4, 5}])
def test_units_that_are_given_up_twice_are_named_after_all_others_are_done(scheduler, tmp_path, deadly):
    """Unit 2, if not among them, is given up once only and saved."""
    units, found = [(n, "") for n in range(6)], []
    for n in {2} | deadly:
        (tmp_path / str(n)).mkdir()
        units[n] = (n, bullets(tmp_path / str(n), 9 if n in deadly else 1))
    with pytest.raises(DataError, match=r"every process that took it up died, .*; all else is done") as caught:
        for result in Dask(scheduler).run(given_up, units):
            found.append(result)
    assert sorted(found) == sorted(set(range(6)) - deadly)
    assert [n for n in range(6) if f"({n}, " in str(caught.value)] == sorted(deadly)
    assert {n: len(list((tmp_path / str(n)).iterdir())) for n in {2} | deadly} == {2: 0} | dict.fromkeys(deadly, 7)


def given_up(unit):
    """What Dask reports of a unit whose workers died, as often as there are files left in the folder given."""
    number, folder = unit
    for bullet in Path(folder).glob("bullet-*") if folder else ():
        bullet.unlink()
        last = SimpleNamespace(address="tcp://127.0.0.1:1")
        raise importlib.import_module("distributed.scheduler").KilledWorker(str(number), last, 0)
    return number


@pytest.mark.slow
def test_two_shards_that_kill_every_worker_are_named_and_the_data_are_resumed(tmp_path):
    (tmp_path / "bullets").mkdir()
    problem = Deadly(folder=bullets(tmp_path / "bullets", 9), deadly=(5, 13))
    settings = {"shard_size": 4, "verify_every": 0, "progress": False}
    with cluster(processes=True) as started, pytest.raises(DataError, match=r"every process that took it up") as caught:
        generate(problem, 16, 16, 3, tmp_path / "d", executor=Dask(started.scheduler_address), **settings)
    named = ["samples 0 to 3", "samples 4 to 7 of seed 3", "samples 8 to 11", "samples 12 to 15 of seed 3"]
    assert [samples in str(caught.value) for samples in named] == [False, True, False, True]
    assert sorted(f.name for f in (tmp_path / "d").glob("part-*.h5")) == ["part-00000.h5", "part-00002.h5"]
    for left in (tmp_path / "bullets").iterdir():
        left.unlink()
    generate(problem, 16, 16, 3, tmp_path / "d", executor=Serial(), **settings)
    generate(problem, 16, 16, 3, tmp_path / "e", executor=Serial(), **settings)
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
