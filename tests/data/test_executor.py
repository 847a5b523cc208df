import os

import pytest
import torch

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
    with pytest.raises(DataError, match=r"a worker process died, .* put `if __name__ == '__main__':` around"):
        list(Processes(1).run(os._exit, [1]))
    assert os.environ == before


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
