"""A photograph to try the application with: composed here, so that it belongs to nobody else."""

from __future__ import annotations

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter

ORIENTATION, MAKER, GPS = 0x0112, 0x010F, 0x8825


def photograph(width: int = 3000, height: int = 2000) -> bytes:
    """A landscape at dusk as a phone would save it: JPEG, lying on its side (EXIF orientation 6), with GPS."""
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    for row in range(height):
        part = row / height
        draw.line([(0, row), (width, row)], (int(20 + 230 * part), int(40 + 110 * part), int(110 - 30 * part)))
    sun = (width * 0.68, height * 0.52, height * 0.09)
    draw.ellipse([sun[0] - sun[2], sun[1] - sun[2], sun[0] + sun[2], sun[1] + sun[2]], (255, 236, 190))
    picture = picture.filter(ImageFilter.GaussianBlur(6))
    draw = ImageDraw.Draw(picture)
    chance = random.Random(7)  # noqa: S311 # the same hills every time
    for ridge, colour in enumerate([(96, 74, 110), (60, 52, 84), (28, 30, 48)]):
        base = height * (0.60 + 0.13 * ridge)
        waves = [(chance.uniform(2, 9), chance.uniform(0, 6.3), chance.uniform(0.01, 0.035)) for _ in range(5)]
        line = [
            (x, base - height * sum(a * math.sin(x / width * f * 3 + p) for f, p, a in waves))
            for x in range(0, width + 20, 10)
        ]
        draw.polygon([*line, (width, height), (0, height)], colour)
    noise = Image.effect_noise((width, height), 18).convert("RGB")
    picture = Image.blend(picture, noise, 0.06)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[MAKER] = "Example Phone"
    exif.get_ifd(GPS).update({1: "N", 2: (37.0, 33.0, 59.0), 3: "E", 4: (126.0, 58.0, 41.0)})
    file = io.BytesIO()
    picture.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=90, exif=exif)
    return file.getvalue()
