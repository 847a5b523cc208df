"""Networks that take more from data than their normalisers."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn


class Fitted(nn.Module, ABC):
    """A network with buffers that are computed from data, once, before training: a basis, or centres of clusters."""

    @property
    @abstractmethod
    def samples(self) -> int:
        """How many pairs `fit` would like to see; 0 for none."""

    @abstractmethod
    def fit(self, inputs: Float[Tensor, "b i *grid"], outputs: Float[Tensor, "b o *grid"]) -> None:
        """Set the buffers from pairs as the network meets them, that is, normalised."""
