"""Floor 3: error bounds and correction to a tolerance. The learned part is given to it; it knows no network."""

from vcycle.hybrid.bound import Bound as Bound
from vcycle.hybrid.bound import Form as Form
from vcycle.hybrid.bound import energy_bound as energy_bound
from vcycle.hybrid.correct import Corrected as Corrected
from vcycle.hybrid.correct import solve_to_tolerance as solve_to_tolerance
