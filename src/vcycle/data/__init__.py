"""Floor 4: pairs of functions: generated with verified labels, stored in shards, read lazily, or a user's own. Knows no network."""

from vcycle.data.dataset import Dataset as Dataset
from vcycle.data.executor import Automatic as Automatic
from vcycle.data.executor import Executor as Executor
from vcycle.data.executor import Processes as Processes
from vcycle.data.executor import Serial as Serial
from vcycle.data.generate import generate as generate
from vcycle.data.readers import Split as Split
from vcycle.data.schema import DataError as DataError
from vcycle.data.schema import Fields as Fields
from vcycle.data.schema import Manifest as Manifest
