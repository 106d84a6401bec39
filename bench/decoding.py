"""How much memory image_resize takes for each pixel of a picture, by its format: what `BYTES_A_PIXEL` in its picture.py comes from.

    python -m bench.decoding

Each picture is rendered at two sizes, each in a process of its own. The difference between the two peaks, divided by that
between their pixels, is what a pixel takes. The pixels are of one colour: what is decoded takes the same whatever it shows.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from PIL import Image
from tests.template_file import ROOT

from bench import document

SIDES = (4000, 6000)
KINDS: Sequence[tuple[str, str, dict[str, Any]]] = (
    *(("JPEG", mode, {}) for mode in ("L", "RGB", "CMYK")),
    *(("JPEG", mode, {"progressive": True, "subsampling": 0}) for mode in ("L", "RGB", "CMYK")),
    *(("PNG", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    *(("PNG", mode, {"transparency": place}) for mode, place in (("L", 0), ("P", 0), ("RGB", (1, 2, 3)))),
    ("GIF", "P", {}),
    ("GIF", "P", {"transparency": 0}),
    ("GIF", "P", {"frames": 3}),
    ("GIF", "P", {"frames": 3, "transparency": 0, "disposal": 2}),
    *(("WEBP", mode, {"method": 0, "lossless": lossless}) for mode in ("RGB", "RGBA") for lossless in (False, True)),
    ("WEBP", "RGBA", {"method": 0, "frames": 3}),
    *(("AVIF", mode, {"speed": 10, "subsampling": "4:4:4"}) for mode in ("RGB", "RGBA")),
    *(
        ("TIFF", mode, {"compression": "tiff_lzw"})
        for mode in ("1", "L", "LA", "RGB", "RGBA", "CMYK", "I;16", "I", "F")
    ),
    ("TIFF", "RGB", {}),
    *(("BMP", mode, {}) for mode in ("L", "P", "RGB", "RGBA")),
)
CHILD = """
import io, sys
from bench.children import peak
from image_resize.picture import Limits, render
small, picture = (io.BytesIO(sys.stdin.buffer.read(int(size))) for size in sys.argv[2:])
render(small, [1600], [sys.argv[1]], Limits(10**9))
before = peak()
render(picture, [1600], [sys.argv[1]], Limits(10**9))
print(peak() - before)
"""


def encoded(image_format: str, mode: str, side: int, options: dict[str, Any]) -> bytes:
    picture = Image.new(mode, (side, side))
    if mode in {"LA", "RGBA"}:
        picture.putalpha(Image.linear_gradient("L").resize((side, side)))
    options = dict(options)
    if frames := options.pop("frames", 0):
        others = [
            Image.new(mode, (side, side), (frame, 0, 0, 255) if mode == "RGBA" else frame) for frame in range(1, frames)
        ]
        options |= {"save_all": True, "append_images": others}
    file = BytesIO()
    picture.save(file, image_format, **options)
    return file.getvalue()


def bytes_a_pixel(image_format: str, mode: str, options: dict[str, Any]) -> float:
    peaks = []
    for side in SIDES:
        small, picture = (encoded(image_format, mode, one, options) for one in (16, side))
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                CHILD,
                "webp" if "frames" in options else "jpeg",
                str(len(small)),
                str(len(picture)),
            ],
            input=small + picture,
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"},
            stdout=subprocess.PIPE,
            check=True,
        )
        peaks.append(json.loads(done.stdout))
    smaller, larger = SIDES
    return (peaks[1] - peaks[0]) / (larger**2 - smaller**2)


def rows() -> Iterator[list[str]]:
    for image_format, mode, options in KINDS:
        told = ", ".join(f"{name} {value}" for name, value in options.items())
        yield [image_format, mode, told, f"{bytes_a_pixel(image_format, mode, options):.1f}"]


if __name__ == "__main__":
    print(document.table(["format", "mode", "options", "bytes a pixel"], rows()))
