from . import config as config
from . import configure as configure
from . import options as options
from ._evaluate import evaluate as evaluate
from ._generate import generate as generate
from ._predict import predict as predict
from ._solve import solve as solve
from ._train import train as train
