import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest
import torch

from data.deadly import exit_at_seven
from vcycle.data import Automatic, DataError, Processes, Serial
from vcycle.data import executor as executor_module


def test_serial_gives_every_result_on_one_thread_and_restores_the_setting():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        results = []
        for threads in Serial().run(lambda _: torch.get_num_threads(), range(3)):
            results.append(threads)
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert results == [1, 1, 1]


def test_a_pool_of_nothing_starts_nothing():
    assert list(Processes(2).run(os._exit, [])) == []


def test_a_dead_worker_is_reported_in_a_sentence():
    before = dict(os.environ)
    with pytest.raises(DataError, match=r"^1: every process that took it up died, .*; all else is done"):
        list(Processes(1).run(os._exit, [1]))
    assert os.environ == before


def test_where_no_worker_can_start_no_unit_is_blamed(monkeypatch):
    monkeypatch.setattr(executor_module, "_start_worker", partial(os._exit, 1))
    with pytest.raises(DataError, match=r"no worker process can start: .* put `if __name__ == '__main__':` around"):
        list(Processes(1).run(abs, [1]))


def test_where_all_units_are_deadly_the_run_stops():
    with pytest.raises(DataError, match=r"^\d+(, \d+)+: every .*; \d+ more were not tried: run the same command again"):
        list(Processes(4).run(os._exit, range(40)))


def test_a_dead_worker_costs_its_own_unit_alone():
    results, done = Processes(2).run(exit_at_seven, [7, 8, 9, 10]), []
    with pytest.raises(DataError, match=r"^7: every process that took it up died, .*; all else is done"):
        for result in results:
            done.append(result)
    assert sorted(done) == [8, 9, 10]


def test_where_the_system_starts_no_process_it_says_why_itself(monkeypatch):
    def submit(*_):
        raise OSError("Resource temporarily unavailable")

    monkeypatch.setattr(ProcessPoolExecutor, "submit", submit)
    with pytest.raises(OSError, match="Resource temporarily"):
        list(Processes(2).run(abs, [7, 8]))


@pytest.mark.parametrize(("patience", "cores", "pooled"), [(0.0, 2, [2, 3, 4]), (60.0, 2, []), (0.0, 1, [])])
def test_a_pool_is_started_only_after_waiting_as_long_as_a_start_takes(monkeypatch, patience, cores, pooled):
    handed_over = []

    class Recorded(Serial):
        def __init__(self, workers):
            assert workers == cores

        def run(self, function, units):
            handed_over.extend(units)
            yield from super().run(function, units)

    monkeypatch.setattr(executor_module, "Processes", Recorded)
    monkeypatch.setattr(executor_module, "available_cores", lambda: cores)
    assert list(Automatic(patience).run(lambda unit: unit**2, [1, 2, 3, 4])) == [1, 4, 9, 16]
    assert handed_over == pooled


def test_the_last_unit_never_waits_for_a_pool(monkeypatch):
    monkeypatch.setattr(executor_module, "Processes", None)
    monkeypatch.setattr(executor_module, "available_cores", lambda: 8)
    assert list(Automatic(0.0).run(lambda unit: unit, [1, 2])) == [1, 2]


def test_at_least_one_core_is_available():
    assert 1 <= executor_module.available_cores() <= (os.cpu_count() or 1)
