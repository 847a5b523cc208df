from . import analysis as analysis
from . import app as app
from . import data as data
from . import hybrid as hybrid
from . import jobs as jobs
from . import networks as networks
from . import operators as operators
from . import problems as problems
from . import solvers as solvers
from . import spaces as spaces
from . import surrogate as surrogate
from . import testing as testing
from . import training as training
from .jobs import calibrate as calibrate
from .jobs import chaos as chaos
from .jobs import convert as convert
from .jobs import evaluate as evaluate
from .jobs import export as export
from .jobs import generate as generate
from .jobs import predict as predict
from .jobs import solve as solve
from .jobs import train as train
from .spaces import Domain as Domain
from .surrogate import load as load

__version__: str
