"""The same bytes from this process, from a pool and from a Dask cluster."""

import hashlib

import pytest

from data.deadly import square
from data.test_killed_workers import bullets
from vcycle.data import Dask, DataError, Processes, Serial, dask_executor, generate
from vcycle.jobs import generate as by_name
from vcycle.problems import Darcy, LogNormal


def contents(folder):
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob("part-*.h5"))]


@pytest.fixture(scope="module")
def scheduler():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


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


@pytest.fixture
def fragile():
    """Two workers with one thread each, one death of which a unit survives."""
    distributed, dask = pytest.importorskip("distributed"), pytest.importorskip("dask")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(**options, silence_logs="CRITICAL") as cluster,
    ):
        yield cluster.scheduler_address


@pytest.mark.slow
def test_all_results_come_though_a_worker_was_killed(fragile, tmp_path):
    folder = bullets(tmp_path, 1)
    units = [(n, folder if n == 3 else "") for n in range(8)]
    assert sorted(Dask(fragile).run(square, units)) == [n**2 for n in range(8)]
    assert list(tmp_path.iterdir()) == []


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
