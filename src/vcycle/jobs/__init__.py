"""Floor 5: the verbs as functions: what the command line does, and a notebook can do. Loaded when first used.

Modules with a leading underscore hold the verb of their name: a module called `train` would hide the function.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
