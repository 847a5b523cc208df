"""Floor 2: neurons whose weights are operators, and the networks made of them. Knows no PDE and no data."""

from vcycle.networks.activations import ACTIVATIONS as ACTIVATIONS
from vcycle.networks.activations import activation as activation
from vcycle.networks.alignment import align_weights as align_weights
from vcycle.networks.authors import from_authors as from_authors
from vcycle.networks.build import NETWORKS as NETWORKS
from vcycle.networks.build import build as build
from vcycle.networks.cycle import Cycle as Cycle
from vcycle.networks.deeponet import DeepONet as DeepONet
from vcycle.networks.fitted import Fitted as Fitted
from vcycle.networks.fno import FNO as FNO
from vcycle.networks.implicit import Implicit as Implicit
from vcycle.networks.lno import LNO as LNO
from vcycle.networks.lsm import LSM as LSM
from vcycle.networks.mgno import MgNO as MgNO
from vcycle.networks.mono import MoNO as MoNO
from vcycle.networks.multionet import MultiONet as MultiONet
from vcycle.networks.neuron import Neurons as Neurons
from vcycle.networks.normalised import Normalised as Normalised
from vcycle.networks.sfno import SFNO as SFNO
from vcycle.networks.sinenet import SineNet as SineNet
from vcycle.networks.stencil_network import StencilNetwork as StencilNetwork
from vcycle.networks.t1 import T1 as T1
from vcycle.networks.transformer import Transformer as Transformer
from vcycle.networks.unet import UNet as UNet
