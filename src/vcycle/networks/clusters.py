"""k-means."""

import torch
from jaxtyping import Float
from torch import Tensor

ROUNDS = 50


def cluster_centres(points: Float[Tensor, "n m"], count: int, seed: int = 0) -> Float[Tensor, "count m"]:
    """`count` centres with a small mean square distance of the points to the nearest: k-means++, then Lloyd's rounds.

    Fewer different points than centres leave copies, to which no point is nearest but the first.

    >>> cluster_centres(torch.tensor([[0.0], [1.0], [9.0], [9.0]]), 2).sort(0).values
    tensor([[0.5000],
            [9.0000]])
    """
    noise = torch.Generator().manual_seed(seed)
    chosen = [points[int(torch.randint(len(points), (), generator=noise))]]
    for _ in range(count - 1):
        distance = torch.cdist(points, torch.stack(chosen)).square().min(1).values.cpu()
        far = distance if float(distance.sum()) > 0 else torch.ones_like(distance)
        chosen.append(points[int(torch.multinomial(far, 1, generator=noise))])
    centres = torch.stack(chosen)
    for _ in range(ROUNDS):
        nearest = torch.cdist(points, centres).argmin(1)
        members = torch.nn.functional.one_hot(nearest, count).to(points)
        sizes = members.sum(0)[:, None]
        moved = torch.where(sizes > 0, members.mT @ points / sizes.clamp_min(1), centres)
        if torch.equal(moved, centres):
            break
        centres = moved
    return centres
