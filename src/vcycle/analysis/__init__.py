"""Floor 4: errors, bounds, spectra, other grids and cost of a trained network, as numbers, pictures and a report.

Knows no equation: networks, solvers and norms are given to it as callables. Loaded when first used: only a report needs
to draw.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
