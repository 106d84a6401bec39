"""How much derivatives are like their pictures.

    python -m bench.likeness <picture> <folder of derivatives> ...

Prints, as JSON, for each folder the SSIM of each size. The reference is the picture decoded in full and reduced by Pillow's
Lanczos filter, on the values of sRGB as all that are measured do. SSIM is that of scikit-image with the settings of its authors
(a Gaussian window of 1.5 pixels, population covariances), the mean of red, green and blue:
https://scikit-image.org/docs/stable/api/skimage.metrics.html#skimage.metrics.structural_similarity
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy
from PIL import Image
from skimage.metrics import structural_similarity


def likeness(reference: Image.Image, derivative: Image.Image) -> float:
    return float(
        structural_similarity(
            numpy.asarray(reference),
            numpy.asarray(derivative.convert("RGB")),
            channel_axis=2,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def main(picture: Path, folders: list[Path]) -> None:
    Image.MAX_IMAGE_PIXELS = None  # the picture is our own
    source = Image.open(picture).convert("RGB")
    found: dict[str, dict[str, float]] = {str(folder): {} for folder in folders}
    for size in sorted(folders[0].iterdir()):
        references: dict[tuple[int, int], Image.Image] = {}
        for folder in folders:
            derivative = Image.open(folder / size.name)
            # Tools that round differently differ by a pixel: each is compared with a reference of its own size.
            if derivative.size not in references:
                references[derivative.size] = source.resize(derivative.size, Image.Resampling.LANCZOS)
            found[str(folder)][size.name] = likeness(references[derivative.size], derivative)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])
