"""Floor 0: domains, grids, bases, norms, transfer and random fields. Knows no network."""

from vcycle.spaces.basis import Basis as Basis
from vcycle.spaces.domain import CONDITIONS as CONDITIONS
from vcycle.spaces.domain import Condition as Condition
from vcycle.spaces.domain import Domain as Domain
from vcycle.spaces.faces import FaceField as FaceField
from vcycle.spaces.faces import conductances as conductances
from vcycle.spaces.faces import difference as difference
from vcycle.spaces.faces import divergence as divergence
from vcycle.spaces.faces import energy as energy
from vcycle.spaces.ghost import Ghost as Ghost
from vcycle.spaces.ghost import ghosts as ghosts
from vcycle.spaces.ghost import pad as pad
from vcycle.spaces.grid import Grid as Grid
from vcycle.spaces.grid import Placement as Placement
from vcycle.spaces.norms import H1 as H1
from vcycle.spaces.norms import L2 as L2
from vcycle.spaces.norms import Energy as Energy
from vcycle.spaces.norms import HMinus1 as HMinus1
from vcycle.spaces.norms import Norm as Norm
from vcycle.spaces.paired_modes import PairedModes as PairedModes
from vcycle.spaces.random_fields import GaussianField as GaussianField
from vcycle.spaces.random_fields import generator as generator
from vcycle.spaces.samples import finite as finite
from vcycle.spaces.samples import per_sample as per_sample
from vcycle.spaces.space import Space as Space
from vcycle.spaces.transfer import resample as resample
