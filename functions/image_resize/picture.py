"""One picture in, its derivatives out. Nothing here knows of AWS."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import IO, Any, Literal

# The plug-ins are named because Pillow otherwise imports all of its forty when it meets a format it has not loaded yet.
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

Format = Literal["keep", "jpeg", "webp", "avif"]

READABLE = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        GifImagePlugin.GifImageFile,
        WebPImagePlugin.WebPImageFile,
        AvifImagePlugin.AvifImageFile,
        TiffImagePlugin.TiffImageFile,
        BmpImagePlugin.BmpImageFile,
    )
)
ENCODERS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 82, "progressive": True},
    "PNG": {},
    "GIF": {},
    "WEBP": {"quality": 80, "method": 4},
    "AVIF": {"quality": 65, "speed": 7},
    "TIFF": {"compression": "tiff_deflate"},
    "BMP": {},
}
SHARPNESS = 3.0
"""How many times larger than its target a picture stays for the slow good filter, after a quick coarse reduction.
From 3 on nobody sees a difference: https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.resize"""

BYTES_A_PIXEL: Mapping[str, Mapping[str, float]] = {
    "JPEG": {"": 5.4},
    "PNG": {"": 7.0, "transparent": 12.7},
    "GIF": {"": 5.7, "transparent": 9.7, "animated": 17.2},
    "WEBP": {"": 16.0, "transparent": 17.7, "animated": 17.7},
    "AVIF": {"": 10.7, "transparent": 13.6},
    "TIFF": {"": 9.0},
    "BMP": {"": 8.7},
}
"""What decoding and reducing a picture takes of memory at most, by Pillow's name of its format, and by what is special about it.
Of a JPEG it is for each pixel that is left when libjpeg has reduced it. Measured by `python -m bench.decoding`."""

OF_PROGRESSIVE = 8.0
"""Bytes that libjpeg keeps beside for each pixel of a progressive JPEG, however much it reduces it: two for each sample."""

OF_DERIVATIVE = 14.0
"""Bytes for each pixel of the largest derivative, with all its frames: while it is made, as it is, and encoded."""

LARGE, BANDS = 4_000_000, 4
"""Pixels from which on a picture is reduced in so many bands, which saves memory."""

LONGEST_SIDE = 65535
"""Of a picture that is read, in pixels. A row takes memory beside its pixels, so a very high one takes more than its share."""

MOST_FRAMES = 10_000
"""Of an animation that stays one. A frame takes memory and time beside its pixels."""

LONGEST_ANIMATION = 2**31 - 1
"""In milliseconds: 24 days. libwebp counts them in an `int`."""

# https://exiftool.org/TagNames/EXIF.html: what undoes each value of Orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LYING = {TURNS[orientation] for orientation in (5, 6, 7, 8)}
"""What changes width for height."""


class Unreadable(Exception):
    """The bytes are not a picture that can be read. The message is a clause: "it is ..."."""


@dataclass(frozen=True)
class Derivative:
    """Attributes:
    size: the configured one; the longest side is shorter when the source was.
    format: the configured one.
    """

    size: int
    format: Format
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Picture:
    """A decoded picture: upright, in sRGB or gray, with or without alpha, and nothing but pixels.

    Attributes:
        format: Pillow's name for what it was.
        size: the one that it had, width and height. Its derivatives have its proportions, and not each other's, which are rounded.
        frames: one, or those of an animation.
        durations: of each frame in milliseconds.
        plays: how often an animation is shown; 0 for ever.
    """

    format: str
    size: tuple[int, int]
    frames: list[Image.Image]
    durations: list[int]
    plays: int


@dataclass(frozen=True)
class Limits:
    """What is checked before a picture is decoded, by its header.

    Attributes:
        pixels: of the picture, or of all frames of an animation that stays one.
        memory: bytes that there are for it; None for no limit.
    """

    pixels: int
    memory: int | None = None


def render(file: IO[bytes], sizes: Sequence[int], formats: Sequence[Format], limits: Limits) -> list[Derivative]:
    """Make the derivatives of each size and format, all or none.

    Args:
        file: the picture. It is read piece by piece where the format allows that.
        sizes: the longest side of each, in pixels. No picture is enlarged.
        formats: `keep` is the format that the content has, whatever its name says.

    Raises:
        Unreadable: says why.
    """
    try:
        return _render(file, sizes, formats, limits)
    except MemoryError:
        pass  # its traceback would keep the pixels
    raise Unreadable("it takes more memory to decode than there is")


def _render(file: IO[bytes], sizes: Sequence[int], formats: Sequence[Format], limits: Limits) -> list[Derivative]:
    picture = _decode(file, max(sizes), formats, limits)
    derivatives: list[Derivative] = []
    frames = picture.frames
    for size in sorted(set(sizes), reverse=True):
        frames = [_reduced(frame, _fitted(picture.size, size)) for frame in frames]
        targets = {format_: _target(format_, picture.format) for format_ in formats}
        bodies = {target: _encode(frames, target, picture) for target in set(targets.values())}
        derivatives += [
            Derivative(size, format_, Image.MIME[target], bodies[target]) for format_, target in targets.items()
        ]
    return derivatives


def _target(format_: Format, own: str) -> str:
    return own if format_ == "keep" else format_.upper()


def _decode(file: IO[bytes], longest: int, formats: Sequence[Format], limits: Limits) -> Picture:
    """Read the picture, each frame reduced to the longest side at once, so that an animation fits into memory."""
    with _explained(limits.pixels):
        image = Image.open(file, formats=READABLE)
        # MPO is a JPEG that holds more pictures, as telephones make them; the first is the photo.
        own = "JPEG" if image.format == "MPO" else str(image.format)
        stays_animated = own in {"GIF", "WEBP"} and any(_target(format_, own) == "WEBP" for format_ in formats)
        count = getattr(image, "n_frames", 1) if stays_animated else 1
        size, frames, durations, turn = image.size, [], [], None
        fitted = _fitted(size, longest)
        for number in range(count):
            image.seek(number)
            _check_pixels(image.size, count, limits.pixels)  # for each frame: in a GIF, one may enlarge the picture
            # A JPEG is reduced while it is decoded, to the smallest half, quarter or eighth with room for this, which has the
            # picture's proportions: a square asks more of the shorter side, and so has many pictures decoded twice as large.
            progressive = image.width * image.height if image.info.get("progressive") else 0
            image.draft(None, fitted)
            special = "animated" if count > 1 else "transparent" if image.has_transparency_data else ""
            bytes_a_pixel = BYTES_A_PIXEL[own].get(special, BYTES_A_PIXEL[own][""])
            _check_memory(
                image.width * image.height * bytes_a_pixel
                + progressive * OF_PROGRESSIVE
                + count * fitted[0] * fitted[1] * OF_DERIVATIVE,
                limits.memory,
            )
            image.load()
            turn = turn if number else _turn(image)
            frame = image.crop((0, 0, *size)) if number and image.size != size else image
            frames.append(_plain(frame, fitted, turn))
            durations.append(int(image.info.get("duration", 0)) if stays_animated else 0)
        if min(durations) < 0 or sum(durations) > LONGEST_ANIMATION:
            raise Unreadable(f"it lasts longer than the {LONGEST_ANIMATION} milliseconds that can be written")
        upright = size[::-1] if turn in LYING else size
        return Picture(own, upright, frames, durations, _plays(image) if stays_animated else 1)


def _check_pixels(size: tuple[int, int], frames: int, most: int) -> None:
    if frames > MOST_FRAMES:
        raise Unreadable(f"it has {frames} frames, more than {MOST_FRAMES}")
    if max(size) > LONGEST_SIDE:
        raise Unreadable(f"one of its sides is longer than {LONGEST_SIDE} pixels: {size[0]} x {size[1]}")
    if size[0] * size[1] * frames > most:
        raise Unreadable(f"it has more than {most} pixels: {frames} frames of {size[0]} x {size[1]}")


def _check_memory(takes: float, room: int | None) -> None:
    if room is not None and takes > room:
        raise Unreadable(
            f"a picture of its kind and size takes up to {takes / 1e6:.0f} MB to decode, and there are {room / 1e6:.0f} MB"
        )


@contextmanager
def _explained(max_pixels: int) -> Iterator[None]:
    """Let Pillow refuse larger pictures by their headers, and say in one way why a picture cannot be read.

    Pillow's own limit is fixed, and up to its double it only warns. Its decoders raise whatever their parsing ran into,
    from OSError to IndexError, so every exception in here but one for want of memory means that the input is bad.
    """
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Unreadable, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise Unreadable(f"it is not an image, or its beginning is damaged; {', '.join(READABLE)} are read") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Unreadable(f"it has more than {max_pixels} pixels") from error
    except Exception as error:
        raise Unreadable(f"it is truncated or damaged ({type(error).__name__}: {error})") from error
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _plays(image: Image.Image) -> int:
    """How often an animation is shown, 0 for ever. A GIF says how often it is repeated; one that says nothing is shown once.

    https://chromium.googlesource.com/chromium/src/+/main/cc/paint/image_animation_count.h
    """
    loop = image.info.get("loop")
    if image.format != "GIF":
        return int(loop or 0)
    if loop is None:
        return 1
    return min(int(loop) + 1, 65535) if loop else 0


def _plain(image: Image.Image, size: tuple[int, int], turn: Image.Transpose | None) -> Image.Image:
    """A frame as it is to be seen: reduced, in sRGB, upright, without EXIF, XMP, profile and comments."""
    picture = _srgb(_reduced(_resizable(image), size), image.info.get("icc_profile"))
    if turn is not None:
        picture = picture.transpose(turn)
    if picture is image:
        picture = image.copy()  # the next frame is decoded into the same object
    picture.info = {}  # encoders write what they find there
    return picture


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What the Orientation tag of EXIF or XMP asks for. A picture whose EXIF is damaged is still a picture, and stays as it lies.

    A TypeError is a PNG's: its texts have names of their own, which may be `exif` or `xmp`.
    """
    try:
        orientation: Any = image.getexif().get(ExifTags.Base.Orientation)
    except (SyntaxError, TypeError, ValueError, struct.error):
        return None
    return TURNS.get(orientation)


def _resizable(image: Image.Image) -> Image.Image:
    """The frame in a mode that can be resized and has 8 bits a channel: L, LA, RGB, RGBA or CMYK."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point([round(value / 257) for value in range(65536)], "L")
    if image.mode in {"I", "F"}:  # measurements, of no known range: the lowest becomes black, the highest white
        low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type] # one band
        scale = 255 / (high - low) if high > low else 0.0
        return image.point(lambda value: value * scale - low * scale).convert("L")
    if image.mode in {"LA", "RGBA", "CMYK"}:
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in {"L", "RGB"}:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _fitted(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """The size with its longest side reduced to the given one; never enlarged."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _reduced(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in that size, made in bands: in between, Pillow has all rows of one in the new width."""
    if size == image.size:
        return image
    reduced = Image.new(image.mode, size)
    for top, bottom in pairwise(_bands(image, size)):
        box = (0, image.height * top / size[1], image.width, image.height * bottom / size[1])
        band = (size[0], bottom - top)
        reduced.paste(image.resize(band, Image.Resampling.LANCZOS, box, SHARPNESS), (0, top))
    return reduced


def _bands(image: Image.Image, size: tuple[int, int]) -> list[int]:
    """The rows between the bands: some for a large picture, none for one of which Pillow would make a copy for each band."""
    copied = image.mode in {"LA", "RGBA"} or image.height >= 2 * SHARPNESS * size[1]
    bands = BANDS if image.width * image.height > LARGE and not copied else 1
    return [size[1] * band // bands for band in range(bands + 1)]


def _srgb(picture: Image.Image, profile: Any) -> Image.Image:
    """The picture in sRGB; one without a usable profile counts as sRGB (CMYK: is converted by rule of thumb)."""
    if profile and isinstance(profile, bytes):  # a PNG's text may have the profile's name
        from PIL import ImageCms

        colours = picture.convert({"LA": "L", "RGBA": "RGB"}.get(picture.mode, picture.mode))
        try:
            converted = ImageCms.profileToProfile(
                colours, BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except ImageCms.PyCMSError:
            converted = None  # damaged, or for other channels than these
        if converted:
            if picture.mode in {"LA", "RGBA"}:
                converted.putalpha(picture.getchannel("A"))
            return converted
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def _encode(frames: list[Image.Image], target: str, picture: Picture) -> bytes:
    """Write an animation as WebP, and its first frame as anything else. JPEG has no alpha: it lies on white."""
    first, *rest = frames if target == "WEBP" else frames[:1]
    if target == "JPEG" and first.mode in {"LA", "RGBA"}:
        paper = Image.new("RGBA", first.size, "white")
        paper.alpha_composite(first.convert("RGBA"))
        first = paper.convert("RGB")
    options = ENCODERS[target]
    if rest:
        # Half the time of method 4, for some hundredths more bytes: an animation has many frames.
        options = options | {"method": 2, "save_all": True, "append_images": rest}
        options |= {"duration": picture.durations, "loop": picture.plays}
    body = BytesIO()
    first.save(body, target, **options)
    return body.getvalue()
