"""Floor 2: neurons whose weights are operators, and the networks made of them. Knows no PDE and no data."""

from vcycle.networks.activations import ACTIVATIONS as ACTIVATIONS
from vcycle.networks.activations import activation as activation
from vcycle.networks.authors import from_authors as from_authors
from vcycle.networks.build import NETWORKS as NETWORKS
from vcycle.networks.build import build as build
from vcycle.networks.cycle import Cycle as Cycle
from vcycle.networks.fno import FNO as FNO
from vcycle.networks.mgno import MgNO as MgNO
from vcycle.networks.neuron import Neurons as Neurons
from vcycle.networks.normalised import Normalised as Normalised
