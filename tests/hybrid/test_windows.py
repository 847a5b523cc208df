"""Marching on equations u_k = A_k u_(k-1) whose errors are known exactly: what is claimed holds, and what it costs."""

import pytest
import torch

from vcycle.hybrid import Judged, Window, march
from vcycle.solvers import Solution

CELLS = 6


class Linear:
    """u_k = g_k Q u_(k-1) with Q orthogonal and g_k one number per window: inputs are (k, u); judged exactly."""

    def __init__(self, growth, seed=0):
        generator = torch.manual_seed(seed)
        self.growth = torch.as_tensor(growth, dtype=torch.float64)
        self.turn = torch.linalg.qr(torch.randn(CELLS, CELLS, generator=generator, dtype=torch.float64)).Q
        self.solves: list[int] = []

    def step(self, inputs):
        k = inputs[:, 0, 0].long()
        return self.growth[k][:, None, None] * (inputs[:, 1:] @ self.turn.T)

    def judge(self, inputs, value):
        k, u = inputs[:, 0, 0].long(), inputs[:, 1:]
        defect = (value - self.step(inputs)).flatten(1).norm(dim=1, keepdim=True)
        size = torch.stack([u.flatten(1).norm(dim=1), value.flatten(1).norm(dim=1)], 1)
        return Judged(defect, self.growth[k][:, None], size)

    def solve(self, inputs):
        value = self.step(inputs)
        self.solves += inputs[:, 0, 0].long().tolist()
        converged = torch.ones(len(value), dtype=torch.bool)
        return Solution(value, torch.zeros(len(value)).double(), 1, converged, "")

    def vouch(self, inputs, solution):
        return self.judge(inputs, solution.value)

    def follow(self, inputs, value):
        return torch.cat([inputs[:, :1] + 1, value], 1)

    def window(self, propose):
        return Window(propose, self.judge, self.solve, self.vouch, self.follow)

    def truth(self, inputs):
        states = []
        for _ in self.growth:
            states.append(self.step(inputs))
            inputs = self.follow(inputs, states[-1])
        return torch.stack(states, 1)


def start(samples, seed=0):
    u = torch.randn(samples, 1, CELLS, generator=torch.manual_seed(seed), dtype=torch.float64)
    return torch.cat([torch.zeros_like(u), u], 1)


def nothing(x):
    return torch.full_like(x[:, 1:], torch.nan)


def relative(v, u):
    return (v - u).flatten(2).norm(dim=2) / u.flatten(2).norm(dim=2)


@pytest.mark.parametrize("seed", range(20))
def test_every_error_is_within_its_bound_and_every_bound_within_the_limit(seed):
    """40 equations that damp, keep and amplify by turns x 5 samples x 12 windows of proposals of random quality."""
    generator = torch.manual_seed(seed)
    equation = Linear(torch.exp(0.8 * torch.randn(12, generator=generator)), seed)
    scale = 10 ** (-5 * torch.rand(12, 5, generator=generator, dtype=torch.float64))

    def propose(x):
        u = equation.step(x)
        noise = torch.randn(u.shape, generator=generator, dtype=torch.float64)
        size = scale[int(x[0, 0, 0]), : len(u)].view(-1, 1, 1)
        wrong = torch.rand(len(u), generator=generator) < 0.1
        return torch.where(wrong.view(-1, 1, 1), torch.nan, u + size * u.norm(dim=2, keepdim=True) * noise)

    x = start(5, seed)
    found = march(equation.window(propose), x, 12, 1e-2, "bound")
    error = relative(found.values, equation.truth(x))
    assert bool((error <= found.error + 1e-14).all())
    assert bool((found.error <= 1e-2).all()) and bool(found.verified.all())
    assert 0 < int(found.solved.sum()) < 60
    assert len(equation.solves) == found.solves <= 2 * 60
    assert found.proposals == 60


def test_what_is_foreseen_is_not_proposed_in_vain():
    """Errors double in every window: one of 1e-3 is too large until the last windows, in which it is taken at once."""
    equation = Linear([2.0] * 10)
    found = march(equation.window(lambda x: 1.001 * equation.step(x)), start(2), 10, 5e-3, "bound")
    # Relative to the state, which doubles too, they stay: five of them are within the limit, and none is taken back.
    assert found.solves == int(found.solved.sum())
    assert bool(found.verified.all())
    assert int((~found.solved).sum()) == 2 * 4  # 1.001^4 - 1 < 5e-3 / (1 + 5e-3) < 1.001^5 - 1


def test_when_errors_grow_unforeseen_the_sample_goes_back_and_the_others_do_not_notice():
    """Directions are equal until window 6, where what the second sample was wrong by grows a hundredfold."""
    size = torch.tensor([1e-6, 3e-3, 0.5], dtype=torch.float64).view(3, 1, 1)
    equation = Linear([1.0] * 8)

    def judge(x, value):
        judged = Linear.judge(equation, x, value)
        growth = torch.where(x[:, 0, 0] == 6, 100.0, 1.0)[:, None].double()
        return Judged(judged.defect, growth, judged.size)

    def propose(x):
        u = equation.step(x)
        wrong = size[: len(u)] * (x[:, :1, :1] == 2)
        return u * (1 + wrong)

    def vouch(x, solution):
        return judge(x, solution.value)

    x = start(3)
    found = march(Window(propose, judge, equation.solve, vouch, equation.follow), x, 8, 1e-2, "bound")
    assert bool(found.verified.all())
    # The first has an error, which in window 6 might grow on; the third has none but in window 2, which is solved.
    only = [[k == window for k in range(8)] for window in (6, 2)]
    assert found.solved.tolist() == [only[0], [True] * 7 + [False], only[1]]
    # The second: 0 to 6 from the start, after window 6 had been solved from a state too far off.
    assert sorted(equation.solves) == sorted([*range(7), 6, 6, 2])
    assert float(relative(found.values, equation.truth(x))[1].max()) < 1e-14
    alone = march(Window(propose, judge, equation.solve, vouch, equation.follow), x[:1], 8, 1e-2, "bound")
    assert torch.equal(alone.values, found.values[:1])
    assert "1 of them twice" in found.message


def test_solved_windows_are_an_anchor():
    """What is solved from the start on need not be solved again when a later stretch is taken back."""
    equation = Linear([1.0] * 9)

    def judge(x, value):
        judged = Linear.judge(equation, x, value)
        return Judged(judged.defect, torch.where(x[:, 0, 0] == 7, 100.0, 1.0)[:, None].double(), judged.size)

    def propose(x):
        return equation.step(x) * (2.0 if x[0, 0, 0] < 4 else 1.002)

    def vouch(x, solution):
        return judge(x, solution.value)

    found = march(Window(propose, judge, equation.solve, vouch, equation.follow), start(1), 9, 1e-2, "bound")
    assert sorted(equation.solves) == sorted([0, 1, 2, 3, 4, 5, 6, 7, 7])
    assert found.solved[0].tolist() == [True] * 8 + [False]


def test_a_solver_without_an_answer_is_never_verified():
    equation = Linear([1.0] * 4)

    def solve(x):
        solution = equation.solve(x)
        solution.value[(x[:, 0, 0] == 1) & (x[:, 1, 0] > 0)] = torch.nan
        return solution

    x = start(2)
    x[0, 1], x[1, 1] = 1.0, -1.0
    equation.turn = torch.eye(CELLS, dtype=torch.float64)
    found = march(Window(nothing, equation.judge, solve, equation.vouch, equation.follow), x, 4, 1e-2, "bound")
    assert found.verified.tolist() == [False, True]
    assert found.error[0].isinf().tolist() == [False, True, True, True]
    assert found.message.startswith("NOT verified: 1 of 2 samples")


def test_several_states_in_a_window_are_judged_one_by_one():
    judged = Judged(*(torch.tensor([row]).double() for row in ([0.1, 0.2, 0.0], [2.0, 1.0, 3.0], [1.0, 2.0, 4.0, 8.0])))
    error = judged.after(torch.tensor([0.05]).double())
    assert torch.allclose(error, torch.tensor([[0.2, 0.4, 1.2]]).double())
    assert torch.allclose(judged.relative(error), torch.tensor([[0.2 / 1.8, 0.4 / 3.6, 1.2 / 6.8]]).double())
    assert judged.amplification.tolist() == [1.0]  # 6 / 8, and never below 1
    assert judged.relative(torch.tensor([[3.0, 0.0, 8.0]]).double()).tolist() == [[torch.inf, 0.0, torch.inf]]


def test_numbers_that_overflow_are_infinite_errors():
    for defect, size in (
        (torch.inf, torch.inf),
        (1e200, torch.inf),
        (torch.nan, 1.0),
        (torch.inf, 1.0),
        (0.5, torch.nan),
    ):
        judged = Judged(*(torch.tensor([row]).double() for row in ([defect], [1.0], [1.0, size])))
        assert judged.relative(judged.after(torch.zeros(1).double())).tolist() == [[torch.inf]]


@pytest.mark.parametrize(("windows", "limit"), [(0, 1e-2), (3, 0.0), (3, float("nan"))])
def test_says_what_does_not_fit(windows, limit):
    with pytest.raises(ValueError, match="at least one window and a positive limit"):
        march(Linear([1.0]).window(nothing), start(1), windows, limit, "bound")
