"""The method of images: a box with walls as one cell of a periodic box."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain

Field = Float[Tensor, "b c *grid"]


def image_domain(domain: Domain) -> Domain:
    """The smallest periodic box that contains the box and its mirror images.

    Twice as long along axes with equal walls, four times with a Dirichlet and a Neumann face.

    >>> image_domain(Domain([1.0, 1.0, 2.0], ["dirichlet", ("neumann", "dirichlet"), "periodic"]))
    Domain((0, 2) periodic x (0, 4) periodic x (0, 2) periodic)
    """
    zipped = zip(domain.extents, domain.boundary, strict=True)
    return Domain(
        [(low, low + _copies(faces) * (high - low)) for (low, high), faces in zipped],
        "periodic",
    )


def with_images(u: Field, domain: Domain) -> Float[Tensor, "b c *images"]:
    """u on cells of the box, continued to `image_domain`: odd about Dirichlet, even about Neumann faces."""
    for axis, faces in enumerate(domain.boundary):
        dim = axis + 2
        if faces[0] == "periodic":
            continue
        u = torch.cat([u, u.flip(dim) * _sign(faces[1])], dim)
        if faces[0] != faces[1]:
            u = torch.cat([u, -u], dim)
    return u


def without_images(u: Float[Tensor, "b c *images"], domain: Domain) -> Field:
    """The values on the box itself."""
    for axis, faces in enumerate(domain.boundary):
        u = u.narrow(axis + 2, 0, u.shape[axis + 2] // _copies(faces))
    return u


def _copies(faces: tuple[str, str]) -> int:
    if faces[0] == "periodic":
        return 1
    return 2 if faces[0] == faces[1] else 4


def _sign(face: str) -> float:
    return -1.0 if face == "dirichlet" else 1.0
