"""Floor 2: iterations to a tolerance; results are values that carry advice on failure."""

from vcycle.solvers.conjugate_gradients import conjugate_gradients as conjugate_gradients
from vcycle.solvers.direct import solve_direct as solve_direct
from vcycle.solvers.richardson import richardson as richardson
from vcycle.solvers.solution import Solution as Solution
