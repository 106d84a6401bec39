"""One picture in, its derivatives out. Nothing here knows of AWS."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

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

DRAFT = 2
"""The same for what libjpeg reduces while it decodes; `Image.thumbnail` does likewise."""

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
        frames: one, or those of an animation.
        durations: of each frame in milliseconds.
        plays: how often an animation is shown; 0 for ever.
    """

    format: str
    frames: list[Image.Image]
    durations: list[int]
    plays: int


def render(data: bytes, sizes: Sequence[int], formats: Sequence[Format], max_pixels: int) -> list[Derivative]:
    """Make the derivatives of each size and format, all or none.

    Args:
        sizes: the longest side of each, in pixels. No picture is enlarged.
        formats: `keep` is the format that the content has, whatever its name says.
        max_pixels: of the picture, or of all frames of an animation that stays one. Checked before anything is decoded.

    Raises:
        Unreadable: says why.
    """
    try:
        return _render(data, sizes, formats, max_pixels)
    except MemoryError:
        pass  # its traceback would keep the pixels
    raise Unreadable("it takes more memory to decode than there is")


def _render(data: bytes, sizes: Sequence[int], formats: Sequence[Format], max_pixels: int) -> list[Derivative]:
    picture = _decode(data, max(sizes), formats, max_pixels)
    derivatives: list[Derivative] = []
    frames = picture.frames
    for size in sorted(set(sizes), reverse=True):
        frames = [_fit(frame, size) for frame in frames]
        targets = {format_: _target(format_, picture.format) for format_ in formats}
        bodies = {target: _encode(frames, target, picture) for target in set(targets.values())}
        derivatives += [
            Derivative(size, format_, Image.MIME[target], bodies[target]) for format_, target in targets.items()
        ]
    return derivatives


def _target(format_: Format, own: str) -> str:
    return own if format_ == "keep" else format_.upper()


def _decode(data: bytes, longest: int, formats: Sequence[Format], max_pixels: int) -> Picture:
    """Read the picture, each frame reduced to the longest side at once, so that an animation fits into memory."""
    with _explained(max_pixels):
        image = Image.open(BytesIO(data), formats=READABLE)
        # MPO is a JPEG that holds more pictures, as telephones make them; the first is the photo.
        own = "JPEG" if image.format == "MPO" else str(image.format)
        stays_animated = own in {"GIF", "WEBP"} and any(_target(format_, own) == "WEBP" for format_ in formats)
        count = getattr(image, "n_frames", 1) if stays_animated else 1
        size, frames, durations = image.size, [], []
        for number in range(count):
            image.seek(number)
            _check(image.size, count, max_pixels)  # again for each frame: in a GIF, one may enlarge the picture
            image.draft(None, _fitted(image.size, DRAFT * longest))
            image.load()
            frame = image.crop((0, 0, *size)) if number and image.size != size else image
            frames.append(_plain(frame, longest))
            durations.append(int(image.info.get("duration", 0)) if stays_animated else 0)
        if min(durations) < 0 or sum(durations) > LONGEST_ANIMATION:
            raise Unreadable(f"it lasts longer than the {LONGEST_ANIMATION} milliseconds that can be written")
        return Picture(own, frames, durations, _plays(image) if stays_animated else 1)


def _check(size: tuple[int, int], frames: int, max_pixels: int) -> None:
    if frames > MOST_FRAMES:
        raise Unreadable(f"it has {frames} frames, more than {MOST_FRAMES}")
    if max(size) > LONGEST_SIDE:
        raise Unreadable(f"one of its sides is longer than {LONGEST_SIDE} pixels: {size[0]} x {size[1]}")
    if size[0] * size[1] * frames > max_pixels:
        raise Unreadable(f"it has more than {max_pixels} pixels: {frames} frames of {size[0]} x {size[1]}")


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


def _plain(image: Image.Image, longest: int) -> Image.Image:
    """A frame as it is to be seen: reduced, in sRGB, upright, without EXIF, XMP, profile and comments."""
    orientation = _orientation(image)
    picture = _srgb(_fit(_resizable(image), longest), image.info.get("icc_profile"))
    if orientation in TURNS:
        picture = picture.transpose(TURNS[orientation])
    if picture is image:
        picture = image.copy()  # the next frame is decoded into the same object
    picture.info = {}  # encoders write what they find there
    return picture


def _orientation(image: Image.Image) -> Any:
    """The Orientation tag of EXIF or XMP. A picture whose EXIF is damaged is still a picture, and stays as it lies.

    A TypeError is a PNG's: its texts have names of their own, which may be `exif` or `xmp`.
    """
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except (SyntaxError, TypeError, ValueError, struct.error):
        return None


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


def _fit(image: Image.Image, longest: int) -> Image.Image:
    size = _fitted(image.size, longest)
    if size == image.size:
        return image
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=SHARPNESS)


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
