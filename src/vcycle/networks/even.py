"""Domains for fields that do not vanish where solutions do."""

from vcycle.spaces import Domain


def evenly(domain: Domain) -> Domain:
    """The domain with Neumann in place of Dirichlet faces: coefficients and sources continue evenly beyond them.

    >>> evenly(Domain([1.0, 2.0], ["dirichlet", "periodic"]))
    Domain((0, 1) neumann x (0, 2) periodic)
    """
    conditions = [["neumann" if face == "dirichlet" else face for face in faces] for faces in domain.boundary]
    return Domain(domain.extents, conditions)
