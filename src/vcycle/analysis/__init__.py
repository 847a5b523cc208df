"""Floor 4: errors, bounds, spectra, other grids and cost of a trained network, as numbers, pictures and a report.

Knows no equation: networks, solvers and norms are given to it as callables.
"""

from vcycle.analysis.cost import Cost as Cost
from vcycle.analysis.cost import Rival as Rival
from vcycle.analysis.cost import compare_cost as compare_cost
from vcycle.analysis.coverage import Coverage as Coverage
from vcycle.analysis.effectivity import Effectivity as Effectivity
from vcycle.analysis.errors import Errors as Errors
from vcycle.analysis.errors import boundary_strip as boundary_strip
from vcycle.analysis.errors import measure_errors as measure_errors
from vcycle.analysis.evaluation import Case as Case
from vcycle.analysis.evaluation import Evaluation as Evaluation
from vcycle.analysis.evaluation import Measured as Measured
from vcycle.analysis.evaluation import read_history as read_history
from vcycle.analysis.report import render_report as render_report
from vcycle.analysis.report import write_report as write_report
from vcycle.analysis.resolution import AtResolution as AtResolution
from vcycle.analysis.resolution import audit_resolutions as audit_resolutions
from vcycle.analysis.rollout import Rollout as Rollout
from vcycle.analysis.rollout import measure_rollout as measure_rollout
from vcycle.analysis.sample_plot import plot_sample as plot_sample
from vcycle.analysis.spectrum import Spectrum as Spectrum
from vcycle.analysis.spectrum import error_spectrum as error_spectrum
from vcycle.analysis.summary import Summary as Summary
