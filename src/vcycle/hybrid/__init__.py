"""Floor 3: error bounds, correction to a tolerance, refinement. The learned part is given; it knows no network."""

from vcycle.hybrid.bound import Bound as Bound
from vcycle.hybrid.bound import Form as Form
from vcycle.hybrid.bound import energy_bound as energy_bound
from vcycle.hybrid.correct import Corrected as Corrected
from vcycle.hybrid.correct import solve_to_tolerance as solve_to_tolerance
from vcycle.hybrid.refine import Refined as Refined
from vcycle.hybrid.refine import ResidualNorm as ResidualNorm
from vcycle.hybrid.refine import refine as refine
