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


def exit_at_seven(unit: int) -> int:
    """The unit itself; the process ends at once where it is 7."""
    if unit == 7:
        os._exit(1)
    return unit


def die_if_wanted(folder: Path) -> None:
    for bullet in sorted(folder.glob("bullet-*")):
        bullet.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Deadly(Darcy):
    """Darcy whose shards with these samples kill their process while there are bullets."""

    folder: str = ""
    deadly: tuple[int, ...] = (5,)

    def sample(self, shape, seed, indices):
        indices = list(indices)
        if set(self.deadly).intersection(indices):
            die_if_wanted(Path(self.folder))
        return super().sample(shape, seed, indices)
