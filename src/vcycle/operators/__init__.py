"""Floor 1: W, bounded linear maps between function spaces, learned or assembled. Knows no training and no tolerance."""

from vcycle.operators.affine import Affine as Affine
from vcycle.operators.base import Adjoint as Adjoint
from vcycle.operators.base import Composition as Composition
from vcycle.operators.base import Identity as Identity
from vcycle.operators.base import LinearOperator as LinearOperator
from vcycle.operators.base import Scaled as Scaled
from vcycle.operators.base import Sum as Sum
from vcycle.operators.base import count_parameters as count_parameters
from vcycle.operators.finite_volume import FiniteVolume as FiniteVolume
from vcycle.operators.fourier import Fourier as Fourier
from vcycle.operators.geometric import Chebyshev as Chebyshev
from vcycle.operators.geometric import geometric_multigrid as geometric_multigrid
from vcycle.operators.matrix import Matrix as Matrix
from vcycle.operators.multigrid import Level as Level
from vcycle.operators.multigrid import Multigrid as Multigrid
from vcycle.operators.multigrid import Smoother as Smoother
from vcycle.operators.pointwise import Pointwise as Pointwise
from vcycle.operators.spectral import Spectral as Spectral
from vcycle.operators.stencil import Prolongation as Prolongation
from vcycle.operators.stencil import Stencil as Stencil
