"""Draws the pictures that are measured with.

    python -m bench.drawn <folder>

They are like photos in what matters to a codec and a filter: discs of all sizes lie on each other (edges at every scale, as in a
scene), over them lies noise whose strength falls with its frequency, and everything is as soft as a lens leaves it. A JPEG of them
has about a third of a byte for a pixel, as a telephone's has. They are the same each time.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy
from PIL import Image, ImageChops, ImageDraw, ImageFilter

SEED = 20261123
DISCS = 20_000
TILE = 1024
"""Pixels of the side of the noise, which is repeated without a seam."""

SOURCES: dict[str, tuple[tuple[int, int], str, dict[str, Any]]] = {
    "12 MP": ((4000, 3000), "jpg", {"quality": 90}),
    "24 MP": ((6000, 4000), "jpg", {"quality": 90}),
    "50 MP": ((8192, 6144), "jpg", {"quality": 90}),
    "100 MP": ((11520, 8640), "jpg", {"quality": 90}),
    "12 MP, progressive": ((4000, 3000), "jpg", {"quality": 90, "progressive": True}),
    "10 MP, square": ((3199, 3199), "jpg", {"quality": 90}),
    "12 MP, PNG": ((4000, 3000), "png", {"compress_level": 1}),
}
"""The square one is the largest that image_resize has to decode in full."""


def drawn(size: tuple[int, int]) -> Image.Image:
    """A picture of red, green and blue."""
    picture = _discs(size).filter(ImageFilter.BoxBlur(1))
    noise = Image.new("L", size)
    tile = _noise()
    for left in range(0, size[0], TILE):
        for top in range(0, size[1], TILE):
            noise.paste(tile, (left, top))
    return ImageChops.add(picture, Image.merge("RGB", [noise] * 3), offset=-128)


def _discs(size: tuple[int, int]) -> Image.Image:
    """Discs whose number falls with the third power of their radius, so that each scale covers as much as any other."""
    chance = random.Random(SEED)
    picture = Image.new("RGB", size, (110, 130, 150))
    draw = ImageDraw.Draw(picture)
    smallest, largest = max(size) / 600, max(size) / 6
    for _ in range(DISCS):
        radius = (smallest**-2 + chance.random() * (largest**-2 - smallest**-2)) ** -0.5
        x, y = chance.uniform(0, size[0]), chance.uniform(0, size[1])
        height = radius * chance.uniform(0.5, 1)
        light = chance.gauss(120, 55)
        colour = [int(min(255, max(0, light + chance.gauss(0, 22)))) for _ in range(3)]
        draw.ellipse((x - radius, y - height, x + radius, y + height), fill=(colour[0], colour[1], colour[2]))
    return picture


def _noise() -> Image.Image:
    """Noise whose amplitude is inverse to its frequency, as in photos, around 128."""
    chance = numpy.random.default_rng(SEED)
    frequency = numpy.hypot(numpy.fft.fftfreq(TILE)[:, None], numpy.fft.rfftfreq(TILE)[None, :])
    frequency[0, 0] = numpy.inf
    values = numpy.fft.irfft2(numpy.fft.rfft2(chance.standard_normal((TILE, TILE))) / frequency)
    return Image.fromarray((values / values.std() * 14 + 128).clip(0, 255).astype("uint8"))


def main(folder: Path) -> None:
    pictures = {size: drawn(size) for size in {size for size, _, _ in SOURCES.values()}}
    for name, (size, suffix, options) in SOURCES.items():
        pictures[size].save(folder / f"{name}.{suffix}", **options)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
