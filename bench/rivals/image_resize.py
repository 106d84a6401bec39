"""python -m bench.rivals.image_resize <picture> <jpeg or webp> <folder> [variant]: as sharp.mjs does, what is deployed.

A variant is the same but for one thing: what was tried, and left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any

from bench.children import cpu, peak
from PIL import Image, ImageFilter, JpegImagePlugin

from image_resize import picture as module
from image_resize.picture import Limits, render

SIZES = (1600, 800, 200)
Jpeg: Any = JpegImagePlugin.JpegImageFile
changed: Any = module


def draft_of(times: float) -> None:
    """Have libjpeg leave so many times the largest size."""
    draft = Jpeg.draft
    Jpeg.draft = lambda self, mode, size: draft(self, mode, (int(size[0] * times), int(size[1] * times)))


def filtered_by(image_filter: Image.Resampling) -> None:
    changed._reduced = lambda image, size: image if size == image.size else image.resize(size, image_filter)


def sharpened() -> None:
    """Give back what libjpeg's reduction took of the finest details."""
    plain, side, middle = module._plain, -0.03, 1.06
    kernel = ImageFilter.Kernel((3, 3), [x * y for x in (side, middle, side) for y in (side, middle, side)], scale=1)
    changed._plain = lambda *given: plain(*given).filter(kernel)


def decoded_only() -> None:
    def decode(file: Any, sizes: Any, formats: Any, limits: Any) -> list[Any]:
        module._decode(file, max(sizes), formats, limits)
        return []

    changed._render = decode
    changed._plain = lambda *_: Image.new("L", (1, 1))


VARIANTS: dict[str, Callable[[], None]] = {
    "decoding only": decoded_only,
    "libjpeg leaves at least 1.3 times the largest size": lambda: draft_of(1.3),
    "libjpeg leaves at least twice the largest size": lambda: draft_of(2),
    "sharpened after libjpeg's reduction": sharpened,
    "bicubic, not Lanczos": lambda: filtered_by(Image.Resampling.BICUBIC),
    "JPEG not progressive": lambda: module.ENCODERS["JPEG"].update(progressive=False, optimize=True),
}


def main(picture: str, image_format: module.Format, folder: str, variant: str = "") -> None:
    if variant:
        VARIANTS[variant]()
    used, had = cpu(), peak()
    with Path(picture).open("rb") as body, TemporaryFile() as file:
        copyfileobj(body, file)
        derivatives = render(file, SIZES, [image_format], Limits(pixels=100_000_000))
    print(json.dumps({"cpu": cpu() - used, "memory": peak() - had}))
    for derivative in derivatives:
        Path(folder, str(derivative.size)).write_bytes(derivative.body)


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
