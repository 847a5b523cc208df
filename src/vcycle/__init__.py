"""Neural operators for PDEs whose every answer says how wrong it can be.

The rooms and the verbs (generate, train, calibrate, evaluate, predict, solve, export) are loaded when they are first
used: the names stand in __init__.pyi, for this module, for type checkers and for editors alike.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
