"""Floor 4: a trained network with its domain, problem and bounds: load, predict, solve. Knows no training, no data."""

from vcycle.surrogate.calibration import Answer as Answer
from vcycle.surrogate.calibration import Calibrated as Calibrated
from vcycle.surrogate.calibration import Calibration as Calibration
from vcycle.surrogate.calibration import Scale as Scale
from vcycle.surrogate.calibration_store import write_calibration as write_calibration
from vcycle.surrogate.ensemble import Ensemble as Ensemble
from vcycle.surrogate.program import Program as Program
from vcycle.surrogate.program import write_program as write_program
from vcycle.surrogate.store import load as load
from vcycle.surrogate.store import members as members
from vcycle.surrogate.store import together as together
from vcycle.surrogate.store import training_resolution as training_resolution
from vcycle.surrogate.surrogate import Prediction as Prediction
from vcycle.surrogate.surrogate import Surrogate as Surrogate
