"""Floor 4: the training loop. Takes any network, any stream of batches and any loss; knows no equation."""

from vcycle.training.batch import Batch as Batch
from vcycle.training.batch import Divisible as Divisible
from vcycle.training.batch import FieldStream as FieldStream
from vcycle.training.batch import Forward as Forward
from vcycle.training.batch import Loss as Loss
from vcycle.training.batch import Order as Order
from vcycle.training.batch import Stream as Stream
from vcycle.training.batch import once as once
from vcycle.training.batch import places as places
from vcycle.training.loop import train as train
from vcycle.training.losses import Misfit as Misfit
from vcycle.training.losses import energy as energy
from vcycle.training.losses import h1 as h1
from vcycle.training.losses import l2 as l2
from vcycle.training.result import Diverged as Diverged
from vcycle.training.result import Result as Result
from vcycle.training.schedules import Constant as Constant
from vcycle.training.schedules import Cosine as Cosine
from vcycle.training.schedules import OneCycle as OneCycle
from vcycle.training.schedules import Schedule as Schedule
from vcycle.training.schedules import Stairs as Stairs
from vcycle.training.settings import Optimizer as Optimizer
from vcycle.training.settings import Settings as Settings
from vcycle.training.sparse_posterior import SparsePosterior as SparsePosterior
from vcycle.training.sparse_posterior import Variational as Variational
from vcycle.training.sparse_posterior import fit_posterior as fit_posterior
