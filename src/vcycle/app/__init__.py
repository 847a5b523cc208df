"""Floor 6: the command line, imported by nobody. Its modules are loaded when they are first used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
