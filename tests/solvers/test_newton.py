"""Newton's method: one step for quadratic energies, quadratic convergence, safety, honesty."""

import torch

from vcycle.solvers import ConvexEnergy, newton


class Pointwise(ConvexEnergy):
    """The sum of e(u) for a convex function e of a number."""

    def __init__(self, e):
        self.e, self.seen = e, []

    def value(self, u):
        return self.e(u).flatten(1).sum(1)

    def _slopes(self, u):
        with torch.enable_grad():
            v = u.detach().requires_grad_()
            (first,) = torch.autograd.grad(self.e(v).sum(), v, create_graph=True)
            (second,) = torch.autograd.grad(first.sum(), v)
        return first.detach(), second

    def gradient(self, u):
        self.seen.append(float(self.value(u)[0]))
        return self._slopes(u)[0]

    def residual(self, u, gradient):
        return gradient.flatten(1).norm(dim=1)

    def step(self, u, gradient, accuracy):
        return -gradient / self._slopes(u)[1]


START = torch.tensor([[[3.0, -8.0]], [[0.5, 30.0]]], dtype=torch.float64)


def test_a_quadratic_energy_takes_one_step():
    solution = newton(Pointwise(lambda u: 2 * (u - 1) ** 2), START)
    assert solution.iterations == 1
    torch.testing.assert_close(solution.value, torch.ones_like(START))


def test_it_is_quadratic_near_the_minimum_and_the_energy_falls_where_full_steps_diverge():
    energy = Pointwise(lambda u: (1 + (u - 1) ** 2).sqrt())  # Newton without damping diverges for |u - 1| > 1
    solution = newton(energy, START, tolerance=1e-12)
    assert bool(solution.converged.all())
    torch.testing.assert_close(solution.value, torch.ones_like(START))
    assert all(later <= before + 1e-12 for before, later in zip(energy.seen, energy.seen[1:], strict=False))


def test_done_samples_do_not_move_and_missing_the_tolerance_is_confessed():
    start = torch.cat([torch.ones(1, 1, 2, dtype=torch.float64), START[1:]])
    solution = newton(Pointwise(lambda u: (u - 1) ** 4 + (u - 1) ** 2), start, most=2)
    assert torch.equal(solution.value[0], start[0])
    assert solution.converged.tolist() == [True, False]
    assert "1 of 2 samples missed the tolerance" in solution.message
