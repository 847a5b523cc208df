"""Floor 2: iterations to a tolerance; results are values that carry advice on failure."""

from vcycle.solvers.conjugate_gradients import conjugate_gradients as conjugate_gradients
from vcycle.solvers.direct import solve_direct as solve_direct
from vcycle.solvers.evolve import evolve as evolve
from vcycle.solvers.exponential import ETDRK4 as ETDRK4
from vcycle.solvers.exponential import IntegratingFactorRK4 as IntegratingFactorRK4
from vcycle.solvers.exponential import Scheme as Scheme
from vcycle.solvers.fast_poisson import solve_poisson as solve_poisson
from vcycle.solvers.fixed_point import fixed_point as fixed_point
from vcycle.solvers.fourier_grid import FourierGrid as FourierGrid
from vcycle.solvers.richardson import richardson as richardson
from vcycle.solvers.semilinear import Semilinear as Semilinear
from vcycle.solvers.solution import Solution as Solution
