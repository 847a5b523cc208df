"""Assembled operators for some of the samples of a batch."""

import copy

from jaxtyping import Bool
from torch import Tensor

from vcycle.operators.base import LinearOperator


def of_samples(W: LinearOperator, rows: Bool[Tensor, " b"]) -> LinearOperator:
    """W for the samples in `rows`: a copy whose buffers, (b, ...) or (1, ...) for all samples, are theirs.

    For operators assembled from coefficients, whose buffers all have the batch as first axis: finite volumes and
    elements, and the cycles made of them.
    """
    theirs = {id(t): t if len(t) == 1 else t[rows] for t in W.buffers()}
    return copy.deepcopy(W, theirs)
