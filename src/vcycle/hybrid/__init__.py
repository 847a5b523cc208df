"""Floor 3: error bounds, correction to a tolerance, refinement. The learned part is given; it knows no network."""

from vcycle.hybrid.bound import Bound as Bound
from vcycle.hybrid.bound import Form as Form
from vcycle.hybrid.bound import energy_bound as energy_bound
from vcycle.hybrid.conjugate_directions import Directed as Directed
from vcycle.hybrid.conjugate_directions import conjugate_directions as conjugate_directions
from vcycle.hybrid.correct import Corrected as Corrected
from vcycle.hybrid.correct import solve_to_tolerance as solve_to_tolerance
from vcycle.hybrid.correct import verified_by_residual as verified_by_residual
from vcycle.hybrid.elasticity_bound import ElasticityBound as ElasticityBound
from vcycle.hybrid.elasticity_bound import elasticity_bound as elasticity_bound
from vcycle.hybrid.goal import Goal as Goal
from vcycle.hybrid.goal import goal as goal
from vcycle.hybrid.goal import outflow as outflow
from vcycle.hybrid.oscillation import cell_data as cell_data
from vcycle.hybrid.plug_and_play import plug_and_play as plug_and_play
from vcycle.hybrid.refine import Refined as Refined
from vcycle.hybrid.refine import ResidualNorm as ResidualNorm
from vcycle.hybrid.refine import refine as refine
from vcycle.hybrid.stokes_bound import StokesBound as StokesBound
from vcycle.hybrid.stokes_bound import stokes_bound as stokes_bound
from vcycle.hybrid.through_time import RolloutBound as RolloutBound
from vcycle.hybrid.through_time import rollout_bound as rollout_bound
