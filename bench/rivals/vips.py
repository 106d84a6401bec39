"""python -m bench.rivals.vips <picture> <jpeg or webp> <folder>: as sharp.mjs does, three pipelines of pyvips."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from bench.children import cpu, peak

os.environ["VIPS_CONCURRENCY"] = "1"

import pyvips  # it reads the environment

SIZES = (1600, 800, 200)


def encoded(image: pyvips.Image, image_format: str) -> bytes:
    if image_format == "webp":
        return image.webpsave_buffer(Q=80, effort=4, keep="none")
    return image.jpegsave_buffer(Q=82, interlace=True, optimize_coding=True, keep="none")


def main(picture: str, image_format: str, folder: str) -> None:
    pyvips.cache_set_max(0)
    used, had = cpu(), peak()
    bodies = [encoded(pyvips.Image.thumbnail(picture, size, height=size, size="down"), image_format) for size in SIZES]
    print(json.dumps({"cpu": cpu() - used, "memory": peak() - had}))
    for size, body in zip(SIZES, bodies, strict=True):
        Path(folder, str(size)).write_bytes(body)


if __name__ == "__main__":
    main(*sys.argv[1:])
