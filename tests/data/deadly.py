"""Work that kills the process it runs in, where worker processes can import it."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from vcycle.problems import Darcy


def square(unit: tuple[int, str]) -> int:
    """The square of a number; the process dies first, as often as there are files left in the folder given."""
    number, folder = unit
    if folder:
        die_if_wanted(Path(folder))
    return number**2


def die_if_wanted(folder: Path) -> None:
    for bullet in sorted(folder.glob("bullet-*")):
        bullet.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Deadly(Darcy):
    """Darcy whose shard with sample 5 kills its process while there are bullets."""

    folder: str = ""

    def sample(self, shape, seed, indices):
        indices = list(indices)
        if 5 in indices:
            die_if_wanted(Path(self.folder))
        return super().sample(shape, seed, indices)
