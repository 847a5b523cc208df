"""Floor 4: a trained network with its domain, problem and bounds: load, predict, solve. Knows no training, no data."""

from vcycle.surrogate.store import load as load
from vcycle.surrogate.surrogate import Prediction as Prediction
from vcycle.surrogate.surrogate import Surrogate as Surrogate
