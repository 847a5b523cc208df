"""Cut pairs are exactly the stored states, with the times between them, and only what is asked for is read."""

from dataclasses import replace

import pytest
import torch

from vcycle.data import DataError, Dataset, Fields, Split, all_pairs, states, windows
from vcycle.data.readers import Memory
from vcycle.data.schema import Description
from vcycle.problems import Acoustics, Barrier, Burgers, Cavity, Cylinder, Dam, Euler, ShallowWater, Tube
from vcycle.spaces import Domain

STATES, SAMPLES = 5, 3


class Watched(Memory):
    """Counts what is read."""

    def read(self, positions):
        asked.append(positions.tolist())
        return super().read(positions)


asked: list[list[int]] = []


def trajectories(problem=None) -> Dataset:
    """Sample s has the state 100 s + 10 i + f at instant i in field f, beside a coefficient -s."""
    s, i, f = torch.meshgrid(torch.arange(SAMPLES), torch.arange(STATES), torch.arange(2), indexing="ij")
    values = (100.0 * s + 10 * i + f).flatten(1)[..., None].expand(-1, -1, 4)
    fixed = -torch.arange(float(SAMPLES)).view(-1, 1, 1).expand(-1, 1, 4)
    names = tuple(f"{name}_{i}" for i in range(STATES) for name in "uv")
    about = Description(
        "t",
        Domain.unit(1, "periodic"),
        "cell",
        ("a", *names[:2]),
        names[2:],
        problem,
        {},
        "",
        times=(0.0, 0.5, 1.0, 1.5, 2.0),
    )
    reader = Watched(Fields(torch.cat([fixed, values[:, :2]], 1), values[:, 2:]))
    splits = {"train": Split("train", reader, 0, 2), "validation": Split("validation", reader, 2, 3)}
    return Dataset(about, splits)


@pytest.mark.parametrize(("history", "horizon"), [(1, 1), (2, 1), (1, 3), (2, 3)])
def test_windows_are_all_runs_of_neighbouring_states(history, horizon):
    data = windows(trajectories(), history, horizon)
    assert data.input_names == ("a", *(f"{n}_{i}" for i in range(history) for n in "uv"))
    assert data.output_names == tuple(f"{n}_{history + i}" for i in range(horizon) for n in "uv")
    starts = STATES - history - horizon + 1
    assert len(data.split("train")) == 2 * starts and len(data.split("validation")) == starts
    pairs = data.split("train").read(range(2 * starts))
    for position in range(2 * starts):
        sample, start = divmod(position, starts)
        given = [100 * sample + 10 * (start + i) + f for i in range(history) for f in range(2)]
        later = [100 * sample + 10 * (start + history + i) + f for i in range(horizon) for f in range(2)]
        assert pairs.inputs[position, :, 0].tolist() == [-sample, *given]
        assert pairs.outputs[position, :, 0].tolist() == later
    assert data.description.times == tuple(0.5 * i for i in range(history + horizon))


def test_all_pairs_are_every_state_with_every_later_one():
    data = all_pairs(trajectories())
    assert data.input_names == ("a", "u_0", "v_0", "lead")
    pairs = data.split("train").read(range(len(data.split("train"))))
    assert len(pairs) == 2 * STATES * (STATES - 1) // 2
    seen = set()
    for inputs, outputs in zip(pairs.inputs[..., 0].tolist(), pairs.outputs[..., 0].tolist(), strict=True):
        sample, first = divmod(inputs[1], 100)
        assert inputs[3] == 0.5 * (outputs[0] - inputs[1]) / 10 > 0 and inputs[0] == -sample
        seen.add((sample, first, outputs[0]))
    assert len(seen) == len(pairs)


def test_only_the_trajectories_that_are_asked_for_are_read_each_once():
    split = windows(trajectories()).split("train")
    asked.clear()
    split.read([5, 4, 7])
    split.read([0])
    assert asked == [[1], [0]]
    with pytest.raises(DataError, match="has samples 0 to 7, sample 8 was asked for"):
        split.read([8])


def test_a_step_of_an_evolution_is_the_same_equation_for_a_shorter_time():
    problem = Burgers(snapshots=4, time=2.0)
    values = torch.zeros(2, 5, 8)
    about = Description(
        "b", problem.domain, "cell", problem.input_names, problem.output_names, problem.to_dict(), {}, "", problem.times
    )
    data = Dataset(about, {"train": Split("train", Memory(Fields(values[:, :1], values[:, 1:])), 0, 2)})
    assert windows(data).build_problem() == replace(problem, snapshots=1, time=0.5)
    assert windows(data, 2, 3).build_problem() == replace(problem, history=2, snapshots=3, time=1.5)
    assert all_pairs(data).build_problem() is None


def solved(problem) -> Dataset:
    """One trajectory of a problem, on 12 cells per axis."""
    inputs = problem.sample((12, 12), 1, [0])
    about = Description(
        "s", problem.domain, "cell", problem.input_names, problem.output_names, problem.to_dict(), {}, "", problem.times
    )
    fields = Fields(inputs, problem.solve(inputs).value)
    return Dataset(about, {"train": Split("train", Memory(fields), 0, 1)})


@pytest.mark.parametrize(
    "problem",
    [
        Euler(snapshots=3, time=0.06),
        ShallowWater(snapshots=3, time=0.06),
        Cavity(snapshots=3, time=0.6, lid="random"),
        Tube(snapshots=3, time=0.6, profile="random"),
        Barrier(snapshots=3, time=0.6, profile="random"),
        Dam(snapshots=3, time=0.15, profile="random"),
        Cylinder(Domain([(-1.5, 1.5), (-1.5, 1.5)], Cylinder().domain.boundary), snapshots=3, time=0.3),
    ],
    ids=lambda problem: problem.name,
)
def test_a_window_has_the_equation_that_leads_from_its_inputs_to_its_outputs(problem):
    data = windows(solved(problem))
    step = data.build_problem()
    assert step == replace(problem, history=1, snapshots=1, time=problem.interval)
    pairs = data.split("train").read(range(len(data.split("train"))))
    assert (step.residual(pairs.inputs, pairs.outputs) < 10 * step.tolerance).all()
    assert (step.verify(pairs.inputs, pairs.outputs) < step.agreement).all()


def test_driven_flows_begin_with_the_states_given():
    problem = Cavity(history=2, snapshots=1, time=0.1, lid="random")
    inputs = problem.sample((8, 8), 0, [0])
    assert problem.input_names == ("lid", "viscosity", "u_0", "v_0", "p_0", "u_1", "v_1", "p_1")
    assert problem.times == (0.0, 0.1, 0.2)
    whole = replace(problem, history=0, snapshots=3, time=0.3)
    later = whole.solve(whole.sample((8, 8), 0, [0])).value
    torch.testing.assert_close(inputs[:, 2:], later[:, :6], rtol=0, atol=10 * problem.accuracy)
    torch.testing.assert_close(problem.solve(inputs).value, later[:, 6:], rtol=0, atol=10 * problem.accuracy)


def test_a_pressure_alone_has_no_next_state():
    assert windows(solved(Acoustics(snapshots=3, time=0.3))).build_problem() is None
    with pytest.raises(ValueError, match="give history=0"):
        Acoustics(history=1)


def test_closed_data_stay_closed():
    data = windows(trajectories().for_training())
    with pytest.raises(DataError, match="the split 'test' is closed"):
        data.split("test")


def test_what_is_no_trajectory_is_refused():
    data = trajectories()
    holes = replace(data.description, output_names=("w", *data.output_names[1:]))
    with pytest.raises(DataError, match=r"holds no trajectories .* states u_0, u_1, \.\.\."):
        states(replace(data, description=holes))
    with pytest.raises(DataError, match="not equally far apart"):
        states(replace(data, description=replace(data.description, times=(0.0, 1.0, 2.0, 4.0, 8.0))))
    with pytest.raises(DataError, match="have 5 states, 3 given and 3 later ones were asked for: take fewer"):
        windows(data, 3, 3)
