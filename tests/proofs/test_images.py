"""Pictures of all kinds, good, damaged and malicious, are uploaded, and the function's handler gets their events, in a process of its
own. S3 is two buckets in memory; nothing else is replaced. The process never ends by a signal. Nothing but a refusal
(`Refused`, with the reason) leaves the handler, and then nothing is written. What is written otherwise are pictures that can be
opened, in the right format and not larger than their size. That they are right (upright, the colours, the frames) is proved by
their pixels. The process never has more memory than `MemorySize` of the template gives, with the template's sizes and limits: a
picture that needs more is refused, because the function limits itself (`RLIMIT_DATA`).

What this does not prove: that the function is quick. A picture that is made to take long ends in the failed-events queue
by the function's timeout. The memory is measured, and limited, on Linux only.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from image_resize.derivatives import EXTENSIONS
from tests.proofs.conftest import Row
from tests.proofs.image_function import Outcome
from tests.proofs.pictures import (
    BLUE,
    CANARY,
    FORMATS,
    GREEN,
    RED,
    WHITE,
    Case,
    animation,
    chunk,
    encoded,
    gif_frames,
    noise,
    png,
    quarters,
    resized_avif_header,
    resized_bmp_header,
    resized_jpeg_header,
    segments,
    tiff_of,
    tiff_strips,
    tiff_tile,
    webp,
    webp_frames,
    with_metadata,
    zeros,
)
from tests.template_file import RESOURCES, ROOT, TEMPLATE
from tests.unit.image_resize.orientations import STORED

MEMORY = RESOURCES["ImageResizeFunction"]["Properties"]["MemorySize"]
PARAMETERS = {name: str(one.get("Default")) for name, one in TEMPLATE["Parameters"].items()}
DEFAULTS = {
    "UPLOADS_BUCKET": "amzn-s3-demo-uploads",
    "DERIVATIVES_BUCKET": "amzn-s3-demo-derivatives",
    "IMAGE_SIZES": PARAMETERS["ImageSizes"],
    "IMAGE_FORMATS": "keep,jpeg,webp,avif",
    "MAX_IMAGE_PIXELS": PARAMETERS["MaxImagePixels"],
    "MAX_IMAGE_BYTES": PARAMETERS["MaxImageBytes"],
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY),
    "AWS_DEFAULT_REGION": "ap-northeast-2",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "Proof",
}
SMALL = {"IMAGE_SIZES": "64,32"}
LIMIT = int(PARAMETERS["MaxImagePixels"])
SIDE = int(LIMIT**0.5)
"""Of the largest square picture that is read."""

TITLE = "Pictures"


@dataclass(frozen=True)
class Derivative:
    size: int
    format: str
    picture: Image.Image
    body: bytes


def uploaded(folder: Path, cases: list[Case], environment: Mapping[str, str] = SMALL) -> list[Outcome]:
    """What came of each picture, and that it was nothing else than it may be."""
    folder.mkdir(exist_ok=True)
    settings = {**DEFAULTS, **environment}
    (folder / "keys.json").write_text(json.dumps([case.key for case in cases]))
    for number, case in enumerate(cases):
        (folder / str(number)).write_bytes(case.data)
    path = os.pathsep.join(str(ROOT / part) for part in (".", "functions", "layers/shared"))
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.proofs.image_function", folder],
        env=settings | {"PYTHONPATH": path, "PATH": os.environ["PATH"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    outcomes = list(_pickled(folder / "outcomes"))
    at = cases[len(outcomes)].name if len(outcomes) < len(cases) else "the end"
    assert process.returncode == 0, f"the process ended at {at}: {process.returncode}\n{process.stderr[-2000:]}"
    for case, outcome in zip(cases, outcomes, strict=True):
        _allowed(case, outcome, settings)
    if sys.platform == "linux":
        megabytes = int((folder / "peak").read_text()) / 2**20
        assert megabytes < int(settings["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]), f"{megabytes:.0f} MB were taken"
    return outcomes


def _pickled(file: Path) -> Iterable[Outcome]:
    with file.open("rb") as outcomes:
        while True:
            try:
                yield Outcome(*pickle.load(outcomes))
            except EOFError:
                return


def _allowed(case: Case, outcome: Outcome, settings: Mapping[str, str]) -> None:
    """Either it is refused and nothing is written, or all derivatives are pictures that can be opened."""
    if outcome.error:
        assert (outcome.error, outcome.written) == ("Refused", {}), f"{case.name}: {outcome.message}"
        return
    derivatives = read(case, outcome)
    sizes, formats = settings["IMAGE_SIZES"].split(","), settings["IMAGE_FORMATS"].split(",")
    assert len(derivatives) == len(sizes) * len(formats), case.name
    for one in derivatives:
        one.picture.load()
        assert max(one.picture.size) <= one.size, case.name
        assert one.format == "keep" or one.picture.format == one.format.upper(), case.name


def read(case: Case, outcome: Outcome) -> list[Derivative]:
    extensions = {extension: format_ for format_, extension in EXTENSIONS.items()}
    read = []
    for key, (content_type, body) in outcome.written.items():
        size, _, name = key.partition("/")
        picture = Image.open(BytesIO(body))
        assert content_type == Image.MIME[str(picture.format)], case.name
        read.append(Derivative(int(size), extensions[name.removeprefix(case.key)], picture, body))
    return read


def colour(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """The colour at a place given in parts of width and height."""
    pixel = picture.convert("RGBA").getpixel((int(x * picture.width), int(y * picture.height)))
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)


def is_like(pixel: tuple[int, ...], expected: tuple[int, ...], by: int = 40) -> bool:
    return all(abs(one - other) <= by for one, other in zip(pixel, (*expected, 255), strict=False))


def is_upright(picture: Image.Image) -> bool:
    places = {(0.25, 0.25): RED, (0.75, 0.25): GREEN, (0.25, 0.75): BLUE, (0.75, 0.75): WHITE}
    return picture.width == 2 * picture.height and all(
        is_like(colour(picture, *place), expected) for place, expected in places.items()
    )


def tell(row: Row, pictures: str, outcomes: list[Outcome], environment: Mapping[str, str] = SMALL) -> None:
    """A row of counts, which are the same wherever the proof runs."""
    refused = sum(bool(outcome.error) for outcome in outcomes)
    memory = {**DEFAULTS, **environment}["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    say(row, pictures, len(outcomes), len(outcomes) - refused, refused, memory)


def say(row: Row, pictures: str, tried: Any, derivatives: Any, refused: Any, memory: Any = MEMORY) -> None:
    most = f"below {memory} MB"
    row(TITLE, pictures=pictures, tried=tried, became_derivatives=derivatives, refused=refused, most_memory=most)


# ---------------------------------------------------------------- good pictures


def turned(image_format: str, orientation: int) -> Case:
    method, exif = STORED[orientation], Image.Exif()
    picture = quarters() if method is None else quarters().transpose(method)
    exif[0x0112] = orientation
    return Case(f"{image_format}, orientation {orientation}", encoded(picture, image_format, exif=exif))


def test_every_orientation_becomes_upright(tmp_path: Path, row: Row) -> None:
    formats = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF")
    cases = [turned(image_format, orientation) for image_format in formats for orientation in STORED]

    outcomes = uploaded(tmp_path, cases)

    for case, outcome in zip(cases, outcomes, strict=True):
        for one in read(case, outcome):
            assert one.picture.width == one.size, f"{case.name} as {one.format}"
            assert is_upright(one.picture), f"{case.name} as {one.format}"
    tell(row, "EXIF orientations 1 to 8, as JPEG, PNG, WebP, AVIF, TIFF", outcomes)


HALF_RED = Image.new("RGBA", (80, 40), (0, 0, 0, 0))
HALF_RED.paste((255, 0, 0, 255), (40, 0, 80, 40))
PALETTE = Image.new("P", (80, 40), 0)
PALETTE.putpalette([0, 0, 0, 255, 0, 0])
PALETTE.paste(1, (40, 0, 80, 40))


def wide(values: tuple[int, ...]) -> bytes:
    """A row of 80 pixels of 16 bits."""
    return b"".join(value.to_bytes(2, "big") for value in values) * 80


CLEAR = (0, 0, 0, 0)
GRAY = (128, 128, 128)
KINDS: dict[str, list[tuple[Case, tuple[int, ...], tuple[int, ...]]]] = {
    "CMYK, as JPEG and TIFF": [
        (Case(f"CMYK {one}", encoded(Image.new("CMYK", (80, 40), (0, 255, 255, 0)), one, **options)), RED, RED)
        for one, options in (("JPEG", {}), ("JPEG", {"progressive": True}), ("TIFF", {}))
    ],
    "16 bits a channel, as PNG (gray, RGB, with and without alpha) and TIFF (both byte orders)": [
        (Case("gray PNG", png(80, 40, 16, 0, pixels=wide((32896,)))), GRAY, GRAY),
        (Case("RGB PNG", png(80, 40, 16, 2, pixels=wide((65535, 0, 0)))), RED, RED),
        (Case("gray PNG with alpha", png(80, 40, 16, 4, pixels=wide((32896, 65535)))), GRAY, GRAY),
        (Case("RGBA PNG", png(80, 40, 16, 6, pixels=wide((65535, 0, 0, 65535)))), RED, RED),
        (Case("TIFF", encoded(Image.frombytes("I;16", (80, 40), b"\x80" * 6400), "TIFF")), GRAY, GRAY),
        (Case("TIFF, big endian", encoded(Image.frombytes("I;16B", (80, 40), b"\x80" * 6400), "TIFF")), GRAY, GRAY),
    ],
    "Palette with transparency, as PNG (one colour clear; alpha for each) and GIF": [
        (Case("PNG, one colour", encoded(PALETTE, "PNG", transparency=0)), CLEAR, RED),
        (Case("PNG, alphas", encoded(PALETTE, "PNG", transparency=b"\0\xff")), CLEAR, RED),
        (Case("GIF", encoded(PALETTE, "GIF", transparency=0)), CLEAR, RED),
    ],
    "RGBA, as PNG, WebP, AVIF, TIFF": [
        (Case(one, encoded(HALF_RED, one)), CLEAR, RED) for one in ("PNG", "WEBP", "AVIF", "TIFF")
    ],
}


def test_the_colours_of_every_kind_of_picture_are_kept(tmp_path: Path, row: Row) -> None:
    outcomes = iter(uploaded(tmp_path, [case for cases in KINDS.values() for case, _, _ in cases]))

    for kind, cases in KINDS.items():
        of_kind = [next(outcomes) for _ in cases]
        for (case, left, right), outcome in zip(cases, of_kind, strict=True):
            for one in read(case, outcome):
                name = f"{case.name} as {one.format}"
                seen = colour(one.picture, 0.2, 0.5)
                if left == CLEAR:  # JPEG has white paper below it
                    assert is_like(seen, WHITE) if one.picture.format == "JPEG" else seen[3] < 10, name
                else:
                    assert is_like(seen, left, by=12), name
                assert is_like(colour(one.picture, 0.8, 0.5), right, by=12), name
        tell(row, kind, of_kind)


def test_animations_stay_so_in_webp_and_are_their_first_frame_elsewhere(tmp_path: Path, row: Row) -> None:
    cases = [Case(one, animation(one)) for one in ("GIF", "WEBP", "PNG", "AVIF")]

    outcomes = uploaded(tmp_path, cases)

    for case, outcome in zip(cases, outcomes, strict=True):
        for one in read(case, outcome):
            frames = getattr(one.picture, "n_frames", 1)
            assert frames == (3 if one.picture.format == "WEBP" and case.name in {"GIF", "WEBP"} else 1)
            for number, expected in enumerate((RED, GREEN, BLUE)[:frames]):
                one.picture.seek(number)
                assert is_like(colour(one.picture, 0.5, 0.5), expected), f"{case.name} as {one.format}"
    tell(row, "Animated GIF, WebP, PNG, AVIF", outcomes)


SUFFIXES = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
}


def test_a_wrong_suffix_does_not_matter(tmp_path: Path, row: Row) -> None:
    cases = [
        Case(image_format, encoded(quarters(), image_format), f"photos/cat{suffix}")
        for image_format in FORMATS
        for other, suffixes in SUFFIXES.items()
        for suffix in suffixes
        if other != image_format
    ]

    outcomes = uploaded(tmp_path, cases, {"IMAGE_SIZES": "40", "IMAGE_FORMATS": "keep"})

    for case, outcome in zip(cases, outcomes, strict=True):
        [derivative] = read(case, outcome)
        assert derivative.picture.format == case.name
        assert is_upright(derivative.picture)
    tell(row, "Each format under each wrong suffix", outcomes)


# ---------------------------------------------------------------- metadata

TRACES = (
    *(CANARY, b"Exif", b"eXIf", b"EXIF", b"xmpmeta", b"XMP ", b"XMP Data", b"http://ns.adobe.com"),
    *(
        b"application/rdf+xml",
        b"Photoshop",
        b"8BIM",
        b"ICC_PROFILE",
        b"iCCP",
        b"ICCP",
        b"tEXt",
        b"zTXt",
        b"iTXt",
        b"prVt",
    ),
)
TAGS = {270, 271, 272, 306, 315, 700, 33432, 33723, 34377, 34665, 34675, 34853}
"""Of a TIFF: description, make, model, time, artist, XMP, copyright, IPTC, Photoshop, EXIF, profile, GPS."""


def test_nothing_but_pixels_is_written(tmp_path: Path, row: Row) -> None:
    formats = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF")
    cases = [Case(one, with_metadata(one)) for one in formats]
    assert all(CANARY in case.data for case in cases)

    # One size reduces the picture, at the other its pixels stay as they are.
    outcomes = uploaded(tmp_path, cases, {"IMAGE_SIZES": "1000,40"})

    for case, outcome in zip(cases, outcomes, strict=True):
        for one in read(case, outcome):
            name = f"{case.name} as {one.format}"
            assert [trace for trace in TRACES if trace in one.body] == [], name
            assert not TAGS & set(one.picture.getexif()), name
            assert not one.picture.info.keys() & {"exif", "xmp", "icc_profile", "comment", "photoshop"}, name
            assert is_upright(one.picture), name
    tell(row, "With EXIF, GPS, XMP, IPTC, comments and a profile, of which no byte is written", outcomes)


def test_metadata_of_any_size_does_no_harm(tmp_path: Path, row: Row) -> None:
    jpeg = encoded(quarters(), "JPEG")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = b"II*\0\x08\0\0\0\xff\xff" + bytes(65000)
    cases = [
        Case("255 segments of a profile", segments(jpeg, *[(0xE2, _profile(one)) for one in range(1, 256)])),
        Case("100 segments of EXIF", segments(jpeg, *[(0xE1, b"Exif\0\0" + exif)] * 100)),
        Case("40 MB of EXIF in a PNG", png(80, 40, 8, 2, chunk(b"eXIf", exif + bytes(40_000_000)))),
        Case("40 MB of EXIF in a WebP", webp(80, 40, (b"EXIF", exif + bytes(40_000_000)), flags=0x18)),
        Case("40 MB of a profile in a WebP", webp(80, 40, (b"ICCP", profile + bytes(40_000_000)), flags=0x30)),
        Case("100,000 texts in a PNG", png(80, 40, 8, 2, *[chunk(b"tEXt", b"%d\0" % one) for one in range(100_000)])),
        Case("texts with the names that Pillow uses", png(80, 40, 8, 2, *_names())),
    ]

    outcomes = uploaded(tmp_path, cases, {"IMAGE_FORMATS": "keep,webp"})

    assert [outcome.message for outcome in outcomes] == [""] * len(cases)
    tell(row, "Huge profiles, EXIF and texts", outcomes)


def _profile(number: int) -> bytes:
    return b"ICC_PROFILE\0" + bytes([number, 255]) + bytes(65000)


def _names() -> list[bytes]:
    return [chunk(b"tEXt", name + b"\0text") for name in (b"exif", b"xmp", b"icc_profile", b"duration", b"loop")]


# ---------------------------------------------------------------- damaged pictures


def test_what_is_no_picture_is_refused(tmp_path: Path, row: Row) -> None:
    contents = (
        b"",
        b"\0",
        b"hello",
        b"<html>",
        b"<svg/>",
        b"%PDF-1.7",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"II*\0",
        bytes(9999),
    )
    cases = [Case(repr(data[:9]), data, f"a{suffix}") for data in contents for suffix in (".jpg", ".png", ".tiff")]

    outcomes = uploaded(tmp_path, cases)

    assert {outcome.error for outcome in outcomes} == {"Refused"}
    tell(row, "Zero bytes, and what is no picture, under three suffixes", outcomes)


def every_kind() -> dict[str, bytes]:
    """Noise, which is hard to compress, in every format and coding."""
    picture = noise()
    still = {one: encoded(picture, one) for one in FORMATS}
    return still | {
        "progressive JPEG": encoded(picture, "JPEG", quality=95, progressive=True),
        "CMYK JPEG": encoded(picture.convert("CMYK"), "JPEG", quality=95),
        "PNG of 16 bits": encoded(picture.convert("I;16"), "PNG"),
        "palette PNG": encoded(picture.quantize(256), "PNG", transparency=0),
        "animated PNG": animation("PNG", (picture, picture.rotate(180))),
        "animated GIF": animation("GIF", (picture, picture.rotate(180))),
        "animated WebP": animation("WEBP", (picture, picture.rotate(180))),
        "lossless WebP": encoded(picture, "WEBP", lossless=True),
        "LZW TIFF": encoded(picture, "TIFF", compression="tiff_lzw"),
        "deflated TIFF": encoded(picture, "TIFF", compression="tiff_adobe_deflate"),
        "JPEG TIFF": encoded(picture, "TIFF", compression="jpeg"),
        "fax TIFF": encoded(picture.convert("1"), "TIFF", compression="group4"),
        **{f"{one} with metadata": with_metadata(one) for one in FORMATS if one != "BMP"},
    }


def test_a_truncated_picture_is_refused_wherever_it_ends(tmp_path: Path, row: Row) -> None:
    # Of an animated PNG the first frame is read, and metadata may lie behind the pixels: both may do without their end.
    pictures = {name: data for name, data in every_kind().items() if "metadata" not in name and name != "animated PNG"}
    cases = [
        Case(f"{name} up to {at}", data[:at]) for name, data in pictures.items() for at in range(0, len(data), 1024)
    ]

    outcomes = uploaded(tmp_path, cases, {"IMAGE_SIZES": "32", "IMAGE_FORMATS": "keep,webp"})

    made = [case.name for case, outcome in zip(cases, outcomes, strict=True) if not outcome.error]
    assert made == []
    say(row, f"Truncated at every kilobyte, {len(pictures)} formats and codings", "each", "none", "all")


def test_a_thousand_flipped_bits_do_no_harm(tmp_path: Path, row: Row) -> None:
    pictures, chance = every_kind(), random.Random(20261101)
    cases = []
    for number in range(1000):
        name = list(pictures)[number % len(pictures)]
        data = bytearray(pictures[name])
        # Headers are where the harm is, so half of the flips are there.
        bit = chance.randrange(8 * (len(data) if number % 2 else min(len(data), 512)))
        data[bit // 8] ^= 1 << bit % 8
        cases.append(Case(f"{name}, bit {bit}", bytes(data)))

    outcomes = uploaded(tmp_path, cases, {"IMAGE_SIZES": "32", "IMAGE_FORMATS": "keep,webp"})

    assert {outcome.error for outcome in outcomes} == {"", "Refused"}
    say(row, f"One flipped bit, {len(pictures)} formats and codings", 1000, "some", "the others")


# ---------------------------------------------------------------- bombs


def test_more_than_the_limits_is_refused_by_the_header(tmp_path: Path, row: Row) -> None:
    side = SIDE + 1
    cases = [
        Case("JPEG", resized_jpeg_header(side, side)),
        Case("PNG", _png_header(side, side)),
        Case("PNG of 2^62 pixels", _png_header(2**31 - 1, 2**31 - 1)),
        Case("PNG of one column", png(1, LIMIT, 8, 6)),
        Case("PNG of one row", png(LIMIT, 1, 8, 6)),
        Case("GIF", gif_frames(1, 0, side)),
        Case("WebP", webp(side, side)),
        Case("WebP of 16384 x 16384", webp(16384, 16384)),
        Case("AVIF", resized_avif_header(side, side)),
        Case("TIFF", tiff_of(side, side, 1, 1, 1)),
        Case("TIFF of one column", tiff_of(1, LIMIT, 8, 1, 1)),
        Case("BMP", resized_bmp_header(side, side)),
        Case("BMP of 2^31 rows", resized_bmp_header(80, 2**31 - 1)),
        Case("200,000 frames of one pixel, GIF", gif_frames(200_000, 1)),
        Case("200,000 frames, WebP", webp_frames(200_000, 1)),
        Case("400 frames of 1000 x 1000, GIF", gif_frames(400, 1, 1000)),
    ]

    outcomes = uploaded(tmp_path, cases, {"IMAGE_FORMATS": "keep,webp"})

    for case, outcome in zip(cases, outcomes, strict=True):
        assert re.search("has .*more than|longer than", outcome.message), f"{case.name}: {outcome.message}"
    tell(row, "Too many pixels, too long a side or too many frames, by the header", outcomes)


def _png_header(width: int, height: int) -> bytes:
    """A small PNG that claims another size."""
    data = png(80, 40, 8, 6)
    return data[:8] + chunk(b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + data[24:29]) + data[33:]


BOMBS = [
    Case("a TIFF of 16 x 16 pixels in a tile of 2 GB", tiff_tile(23_000)),
    Case("a text of 400 MB in a PNG", png(80, 40, 8, 2, chunk(b"zTXt", b"k\0\0" + zeros(400_000_000)))),
    Case(
        "70 texts of 1 MB in a PNG",
        png(80, 40, 8, 2, *[chunk(b"zTXt", b"%d\0\0" % n + zeros(10**6)) for n in range(70)]),
    ),
    Case("an iTXt of 400 MB in a PNG", png(80, 40, 8, 2, chunk(b"iTXt", b"k\0\1\0\0\0" + zeros(400_000_000)))),
    Case("a profile of 1 GB in a PNG", png(80, 40, 8, 2, chunk(b"iCCP", b"k\0\0" + zeros(10**9)))),
    Case("a GIF that lasts 68 days", gif_frames(9000, 65535)),
    Case("a WebP that lasts 38 days", webp_frames(200, 2**24 - 1)),
]


def test_decompression_bombs_are_refused(tmp_path: Path, row: Row) -> None:
    good = Case("a good picture after them", encoded(quarters(), "JPEG"))

    *outcomes, last = uploaded(tmp_path, [*BOMBS, good], {"IMAGE_FORMATS": "keep,webp"})

    assert [case.name for case, outcome in zip(BOMBS, outcomes, strict=True) if not outcome.error] == []
    assert last.error == ""
    tell(row, "Bombs: a tile, texts and profiles that unpack to gigabytes, animations of many days", outcomes)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux limits memory by RLIMIT_DATA")
def test_what_takes_more_memory_than_there_is_is_refused(tmp_path: Path, row: Row) -> None:
    little = {"IMAGE_FORMATS": "keep", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256"}
    cases = [
        Case("a TIFF of a million strips", tiff_strips(1_000_000)),
        Case("a PNG as large as it may be", png(SIDE, SIDE, 8, 6)),
        Case("a WebP as large as it may be", webp(SIDE, SIDE)),
    ]

    outcomes = uploaded(tmp_path, [*cases, Case("a good picture after them", encoded(quarters(), "JPEG"))], little)

    assert [outcome.error for outcome in outcomes] == ["Refused"] * len(cases) + [""]
    tell(row, "In a function of 256 MB: a million strips, the largest pictures", outcomes[:-1], little)


def test_the_largest_pictures_that_are_allowed_find_room(tmp_path: Path, row: Row) -> None:
    alphas = chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(range(256)))
    largest = Image.new("CMYK", (SIDE, SIDE), (1, 200, 3, 4))
    cases = [
        # Some 60 bytes, and so much that is skipped as a file may have.
        Case("WebP", webp(SIDE, SIDE, (b"junk", bytes(int(PARAMETERS["MaxImageBytes"]) - 100)))),
        Case("RGBA PNG", png(SIDE, SIDE, 8, 6)),
        Case("palette PNG with alphas", png(SIDE, SIDE, 8, 3, alphas)),
        Case("PNG with the longest side", png(LIMIT // 65535, 65535, 8, 6)),
        Case("turned TIFF with alpha", tiff_of(SIDE, SIDE, 8, 4, 2, {274: ("H", [6]), 338: ("H", [2])})),
        Case("progressive CMYK JPEG", encoded(largest, "JPEG", progressive=True)),
        Case("AVIF", encoded(Image.new("RGB", (SIDE, SIDE), RED), "AVIF", speed=10)),
    ]

    outcomes = uploaded(tmp_path, cases, {"IMAGE_FORMATS": "keep"} | {"IMAGE_SIZES": PARAMETERS["ImageSizes"]})

    assert [outcome.message for outcome in outcomes] == [""] * len(cases)
    tell(row, "As large as `MaxImagePixels` and `MaxImageBytes` allow, at the template's sizes", outcomes)
