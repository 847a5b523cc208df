"""Data from and for other programs: every format is read into `Samples` and written from them."""

from vcycle.data.exchange.convert import FORMATS as FORMATS
from vcycle.data.exchange.convert import Given as Given
from vcycle.data.exchange.convert import convert as convert
from vcycle.data.exchange.convert import read_samples as read_samples
from vcycle.data.exchange.convert import write_samples as write_samples
from vcycle.data.exchange.samples import Mesh as Mesh
from vcycle.data.exchange.samples import Quantity as Quantity
from vcycle.data.exchange.samples import Samples as Samples
