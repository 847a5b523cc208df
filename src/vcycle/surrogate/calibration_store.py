"""A calibration beside the weights it speaks of: numbers in safetensors, words in JSON."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vcycle.hybrid.input_distance import InputDistance
from vcycle.surrogate.calibration import Calibration

FORMAT = "vcycle calibration 1"
NUMBERS, WORDS = "calibration.safetensors", "calibration.json"
DISTANCE = ("centre", "components", "mean", "deviation")


def write_calibration(calibration: Calibration, folder: Path, weights: Iterable[Path]) -> None:
    """Both files, with the checksum of the weights that the scores belong to."""
    d = calibration.distance
    tensors = {f"distance.{name}": vars(d)[name].contiguous() for name in DISTANCE}
    tensors["field"] = calibration.field.contiguous()
    tensors |= {f"scores.{name}": scores.contiguous() for name, scores in calibration.scores.items()}
    words = {
        "format": FORMAT,
        "level": calibration.level,
        "share": calibration.share,
        "scale": calibration.scale,
        "samples": calibration.samples,
        "resolution": list(calibration.resolution),
        "blocks": list(d.blocks),
        "origin": calibration.origin,
        "checksum": calibration.checksum,
        "weights": checksum(weights),
    }
    save_file(tensors, folder / NUMBERS)
    (folder / WORDS).write_text(json.dumps(words, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_calibration(folder: Path, weights: Iterable[Path]) -> Calibration | None:
    """What `write_calibration` wrote, None where nothing was.

    Raises ValueError with one sentence for damaged files, and for weights that have changed since.
    """
    file = folder / WORDS
    if not file.exists():
        return None
    again = "run vcycle calibrate again, or delete it"
    try:
        words = json.loads(file.read_text(encoding="utf-8"))
        tensors = load_file(folder / NUMBERS)
        if words["format"] != FORMAT:
            raise ValueError(f"its format is {words['format']!r}")
        known = words["weights"]
        found = Calibration(
            level=words["level"],
            share=words["share"],
            scale=words["scale"],
            field=tensors["field"],
            scores={name.removeprefix("scores."): t for name, t in tensors.items() if name.startswith("scores.")},
            distance=InputDistance(tuple(words["blocks"]), *(tensors[f"distance.{name}"] for name in DISTANCE)),
            origin=words["origin"],
            checksum=words["checksum"],
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ValueError(f"{file} is no calibration that can be read ({error}): {again}") from error
    if known != checksum(weights):
        raise ValueError(f"{file} was made for other weights than those in {folder}: {again}")
    return found


def checksum(files: Iterable[Path]) -> str:
    """SHA-256 of the contents of files, one after the other."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
