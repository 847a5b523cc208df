"""Floor 4: pairs of functions, generated with verified labels or a user's own, in shards. Knows no network."""

from vcycle.data.checks import require_same_domain as require_same_domain
from vcycle.data.dask_executor import Dask as Dask
from vcycle.data.dataset import Dataset as Dataset
from vcycle.data.executor import Automatic as Automatic
from vcycle.data.executor import Executor as Executor
from vcycle.data.executor import Processes as Processes
from vcycle.data.executor import Serial as Serial
from vcycle.data.generate import generate as generate
from vcycle.data.own import FileSpec as FileSpec
from vcycle.data.own import read_own as read_own
from vcycle.data.own_settings import read_own_settings as read_own_settings
from vcycle.data.readers import Reader as Reader
from vcycle.data.readers import Split as Split
from vcycle.data.schema import DataError as DataError
from vcycle.data.schema import Fields as Fields
from vcycle.data.schema import Manifest as Manifest
from vcycle.data.store import store as store
from vcycle.data.trajectories import all_pairs as all_pairs
from vcycle.data.trajectories import states as states
from vcycle.data.trajectories import windows as windows
