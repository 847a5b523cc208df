from . import cli as cli
from . import option_help as option_help
