"""Pictures are drawn here; what comes out is opened again and compared by its pixels."""

import struct
import warnings
import zlib
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageChops, ImageCms, ImageFile, JpegImagePlugin
from PIL.PngImagePlugin import PngInfo

from image_resize import picture as module
from image_resize.picture import Derivative, Format, Limits, Unreadable
from tests.unit.image_resize.orientations import STORED

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
PLENTY = 10_000_000
Colour = tuple[int, ...]


def plain(colour: Any, mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.new(mode, size, colour)


def quarters() -> Image.Image:
    """Red, green / blue, white; wider than high."""
    picture = plain(WHITE, size=(80, 40))
    picture.paste(RED, (0, 0, 40, 20))
    picture.paste(GREEN, (40, 0, 80, 20))
    picture.paste(BLUE, (0, 20, 40, 40))
    return picture


def noise(size: tuple[int, int] = (96, 64)) -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise(size, 90) for _ in "RGB"])


def encoded(picture: Image.Image, image_format: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, image_format, **options)
    return file.getvalue()


def render(data: bytes, sizes: list[int], formats: list[Format], max_pixels: int) -> list[Derivative]:
    return module.render(BytesIO(data), sizes, formats, Limits(max_pixels))


def resized(data: bytes, format_: Format = "keep", size: int = 64, max_pixels: int = PLENTY) -> Image.Image:
    [derivative] = render(data, [size], [format_], max_pixels)
    return Image.open(BytesIO(derivative.body))


def colour(picture: Image.Image, x: float = 0.5, y: float = 0.5, mode: str = "RGB") -> Colour:
    """The colour at a place given in parts of width and height."""
    pixel = picture.convert(mode).getpixel((int(x * picture.width), int(y * picture.height)))
    return pixel if isinstance(pixel, tuple) else (int(pixel or 0),)


def close(one: Colour, other: Colour, by: int = 12) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


# ---------------------------------------------------------------- sizes and formats


def test_there_is_one_derivative_for_each_size_and_format_with_its_longest_side():
    data = encoded(plain(RED, size=(400, 320)), "JPEG")

    derivatives = render(data, [50, 200, 100], ["keep", "jpeg", "webp", "avif"], PLENTY)

    opened = [
        (
            one.size,
            one.format,
            one.content_type,
            Image.open(BytesIO(one.body)).format,
            Image.open(BytesIO(one.body)).size,
        )
        for one in derivatives
    ]
    assert opened == [
        (size, format_, f"image/{kind.lower()}", kind, (size, size * 4 // 5))
        for size in (200, 100, 50)
        for format_, kind in (("keep", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP"), ("avif", "AVIF"))
    ]


def test_a_portrait_is_fitted_by_its_height():
    assert resized(encoded(plain(RED, size=(30, 120)), "PNG"), size=40).size == (10, 40)


def test_a_picture_is_never_enlarged():
    assert [
        Image.open(BytesIO(one.body)).size
        for one in render(encoded(plain(RED, size=(100, 80)), "PNG"), [1600, 50], ["keep"], PLENTY)
    ] == [(100, 80), (50, 40)]


def test_a_very_narrow_picture_keeps_a_width_of_one_pixel():
    assert resized(encoded(plain(RED, size=(2, 2000)), "PNG"), size=100).size == (1, 100)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"])
def test_keep_keeps_the_format_of_the_content(image_format):
    picture = resized(encoded(plain(RED), image_format), size=32)

    assert (picture.format, picture.size) == (image_format, (32, 24))
    assert close(colour(picture), RED)


def test_the_picture_of_a_telephone_that_holds_a_second_one_is_its_first_as_jpeg():
    data = encoded(plain(RED), "MPO", save_all=True, append_images=[plain(BLUE)])

    picture = resized(data)

    assert (picture.format, colour(picture)[0] > 240) == ("JPEG", True)


@pytest.mark.parametrize("image_format", ["PPM", "ICO", "TGA", "PCX", "JPEG2000", "PDF"])
def test_a_format_that_is_not_wanted_is_not_read(image_format):
    with pytest.raises(Unreadable, match="it is not an image, or its beginning is damaged; JPEG, PNG, GIF"):
        resized(encoded(plain(RED), image_format))


def test_a_jpeg_is_reduced_while_it_is_decoded(monkeypatch):
    decoded = []
    load = JpegImagePlugin.JpegImageFile.load

    def spy(image: JpegImagePlugin.JpegImageFile) -> Any:
        decoded.append(image.size)
        return load(image)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", spy)

    render(encoded(plain(RED, size=(1600, 800)), "JPEG"), [200, 50], ["keep"], PLENTY)

    assert decoded[0] == (200, 100)  # an eighth, which is not smaller than the largest size


@pytest.mark.parametrize("orientation", STORED)
def test_a_jpeg_that_lies_on_its_side_is_reduced_while_it_is_decoded_all_the_same(orientation, monkeypatch):
    decoded = []
    load = JpegImagePlugin.JpegImageFile.load

    def spy(image: JpegImagePlugin.JpegImageFile) -> Any:
        decoded.append(image.size)
        return load(image)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", spy)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    picture = resized(encoded(plain(RED, size=(1600, 1000)), "JPEG", exif=exif), size=200)

    assert decoded[0] == (200, 125)
    assert picture.size == ((125, 200) if orientation >= 5 else (200, 125))


def test_the_proportions_are_the_pictures_and_not_those_of_the_size_before():
    data = encoded(plain(RED, size=(600, 400)), "PNG")

    sizes = [Image.open(BytesIO(one.body)).size for one in render(data, [160, 80, 20], ["keep"], PLENTY)]

    assert sizes == [(160, 107), (80, 53), (20, 13)]  # and not 54, the half of 107


def test_the_proportions_of_a_picture_that_lies_on_its_side_are_its_own():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = encoded(plain(RED, size=(600, 400)), "PNG", exif=exif)

    sizes = [Image.open(BytesIO(one.body)).size for one in render(data, [160, 80, 20], ["keep"], PLENTY)]

    assert sizes == [(107, 160), (53, 80), (13, 20)]


def test_each_size_is_made_from_the_one_before(monkeypatch):
    steps = []
    resize = Image.Image.resize

    def spy(image: Image.Image, size: tuple[int, int], *args: Any, **kwargs: Any) -> Image.Image:
        steps.append((image.width, size[0]))
        return resize(image, size, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "resize", spy)

    render(encoded(plain(RED, size=(1000, 800)), "PNG"), [50, 400, 200], ["keep"], PLENTY)

    assert steps == [(1000, 400), (400, 200), (200, 50)]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK"])
@pytest.mark.parametrize("size", [(96, 64), (95, 61), (7, 97)])
def test_a_large_picture_is_the_same_without_the_bands_that_it_is_reduced_in(mode, size, monkeypatch):
    picture = noise(size).convert(mode)
    data = encoded(picture, "TIFF")
    [whole] = render(data, [50], ["keep"], PLENTY)
    calls = []
    resize = Image.Image.resize

    def spy(image: Image.Image, *args: Any, **kwargs: Any) -> Image.Image:
        calls.append(image.size)
        return resize(image, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "resize", spy)
    monkeypatch.setattr(module, "LARGE", 100)
    [banded] = render(data, [50], ["keep"], PLENTY)

    assert (len(calls) == 4) == (mode != "RGBA")  # for which Pillow would copy the picture each time
    difference = ImageChops.difference(Image.open(BytesIO(banded.body)), Image.open(BytesIO(whole.body)))
    assert max(max(band.tobytes()) for band in difference.split()) <= 1


# ---------------------------------------------------------------- orientation and metadata


def is_upright(picture: Image.Image) -> bool:
    places = {(0.25, 0.25): RED, (0.75, 0.25): GREEN, (0.25, 0.75): BLUE, (0.75, 0.75): WHITE}
    return all(close(colour(picture, *place), expected, by=40) for place, expected in places.items())


def stored(orientation: int) -> Image.Image:
    method = STORED[orientation]
    return quarters().transpose(method) if method is not None else quarters()


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", STORED)
def test_a_picture_is_turned_as_its_exif_says(orientation, image_format):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    picture = resized(encoded(stored(orientation), image_format, exif=exif), "webp", size=40)

    assert picture.size == (40, 20)
    assert is_upright(picture)


def test_a_picture_is_turned_as_its_xmp_says():
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'

    assert is_upright(resized(encoded(stored(6), "JPEG", xmp=xmp), size=40))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "exif", [b"", b"garbage", b"II*\0", b"II*\0\xff\xff\xff\x7f", b"II*\0\x08\0\0\0\xff\xff\x12\x01"]
)
def test_a_picture_with_damaged_exif_is_still_a_picture(exif, image_format):
    assert is_upright(resized(encoded(quarters(), image_format, exif=b"Exif\0\0" + exif), size=40))


@pytest.mark.parametrize("name", ["exif", "xmp", "icc_profile", "duration", "loop", "Raw profile type exif"])
@pytest.mark.parametrize("add", [PngInfo.add_text, PngInfo.add_itxt])
def test_a_text_of_a_png_may_have_any_name(add, name):
    texts = PngInfo()
    add(texts, name, "a text")

    assert is_upright(resized(encoded(quarters(), "PNG", pnginfo=texts), size=40))


def with_secrets(image_format: str) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "SECRET-ARTIST"
    exif[ExifTags.Base.Make] = "SECRET-CAMERA"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (37.0, 33.0, 58.0)
    gps[ExifTags.GPS.GPSAreaInformation] = b"SECRET-PLACE"
    options: dict[str, Any] = {"exif": exif, "xmp": b"<x:xmpmeta>SECRET-XMP</x:xmpmeta>", "comment": "SECRET-COMMENT"}
    options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if image_format == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Comment", "SECRET-TEXT")
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>SECRET-XMP</x:xmpmeta>")
    if image_format == "TIFF":
        options["tiffinfo"] = {ExifTags.Base.ImageDescription: "SECRET-TITLE", 700: b"SECRET-XMP"}
        del options["exif"]
    return encoded(quarters(), image_format, **options)


@pytest.mark.parametrize("size", [40, 1000])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF"])
def test_no_exif_gps_xmp_comment_or_profile_is_left(image_format, size):
    data = with_secrets(image_format)
    assert b"SECRET" in data

    for derivative in render(data, [size], ["keep", "jpeg", "webp", "avif"], PLENTY):
        for trace in (b"SECRET", b"Exif\0\0", b"EXIF", b"eXIf", b"xmpmeta", b"XMP ", b"ICC_PROFILE", b"ICCP", b"iCCP"):
            assert trace not in derivative.body
        picture = Image.open(BytesIO(derivative.body))
        assert not picture.info.keys() & {"exif", "xmp", "XML:com.adobe.xmp", "icc_profile", "comment"}
        assert not picture.getexif().get_ifd(ExifTags.IFD.GPSInfo)


# ---------------------------------------------------------------- colours


def profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2 (ICC.1:2001-04): a header of 128 bytes, a table, and the tags."""
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    header = struct.pack(">I4s4s4s4s4s", 128 + len(table) + len(body), b"", b"\2\x10\0\0", b"mntr", space, b"XYZ ")
    header += struct.pack(">12x4s28x3i", b"acsp", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + table + body


def xyz(x: float, y: float, z: float) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(65536 * value) for value in (x, y, z)))


def gamma(value: float) -> bytes:
    return struct.pack(">4s4xIH", b"curv", 1, round(256 * value))


D50 = xyz(0.9642, 1.0, 0.8249)
# sRGB's primaries (adapted to D50) in another order: what such a profile calls red is blue. Its curve is a straight line.
SWAPPED = profile(
    b"RGB ",
    {
        b"wtpt": D50,
        b"rXYZ": xyz(0.1431, 0.0606, 0.7141),
        b"gXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"bXYZ": xyz(0.4361, 0.2225, 0.0139),
        b"rTRC": gamma(1.0),
        b"gTRC": gamma(1.0),
        b"bTRC": gamma(1.0),
    },
)
LINEAR_GRAY = profile(b"GRAY", {b"wtpt": D50, b"kTRC": gamma(1.0)})


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_the_colours_of_a_profile_become_srgb(image_format):
    picture = resized(encoded(plain(RED), image_format, icc_profile=SWAPPED), size=32)

    assert close(colour(picture), BLUE)
    assert "icc_profile" not in picture.info


def test_the_curve_of_a_profile_becomes_that_of_srgb():
    half = encoded(plain((128, 128, 128)), "PNG", icc_profile=SWAPPED)

    assert close(colour(resized(half)), (188, 188, 188), by=2)  # half of the light is 188 in sRGB (IEC 61966-2-1)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_the_profile_of_a_gray_picture_is_used(mode):
    picture = resized(encoded(plain({"L": 128, "LA": (128, 100)}[mode], mode), "PNG", icc_profile=LINEAR_GRAY))

    assert close(colour(picture), (188, 188, 188), by=2)
    assert colour(picture, mode="RGBA")[3] == {"L": 255, "LA": 100}[mode]


def test_alpha_is_kept_when_a_profile_is_used():
    picture = resized(encoded(plain((255, 0, 0, 100), "RGBA"), "PNG", icc_profile=SWAPPED))

    assert close(colour(picture, mode="RGBA"), (0, 0, 255, 100), by=2)


def test_the_profile_of_a_palette_picture_is_used():
    assert close(colour(resized(encoded(plain(RED).quantize(4), "PNG", icc_profile=SWAPPED))), BLUE)


@pytest.mark.parametrize(
    "broken", [b"no profile", SWAPPED[:140], SWAPPED[:200], LINEAR_GRAY, SWAPPED.replace(b"rXYZ", b"oops")]
)
def test_a_picture_whose_profile_is_broken_or_for_other_channels_counts_as_srgb(broken):
    assert close(colour(resized(encoded(plain(RED), "PNG", icc_profile=broken))), RED)


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("cmyk", "rgb"),
    [((0, 255, 255, 0), RED), ((255, 255, 0, 0), BLUE), ((0, 0, 0, 0), WHITE), ((0, 0, 0, 255), (0, 0, 0))],
)
def test_cmyk_becomes_rgb(cmyk, rgb, image_format):
    picture = resized(encoded(plain(cmyk, "CMYK"), image_format))

    assert (picture.mode, close(colour(picture), rgb)) == ("RGB", True)


def test_a_cmyk_picture_with_a_profile_for_other_channels_becomes_rgb_all_the_same():
    assert close(colour(resized(encoded(plain((0, 255, 255, 0), "CMYK"), "JPEG", icc_profile=SWAPPED))), RED)


@pytest.mark.parametrize(("image_format", "mode"), [("PNG", "I;16"), ("TIFF", "I;16"), ("TIFF", "I;16B")])
@pytest.mark.parametrize(("value", "gray"), [(0, 0), (257 * 64, 64), (257 * 128, 128), (65535, 255)])
def test_16_bits_are_scaled_to_8_and_not_clipped(value, gray, mode, image_format):
    data = encoded(
        Image.frombytes(mode, (64, 48), struct.pack(">H" if mode == "I;16B" else "<H", value) * 64 * 48), image_format
    )

    picture = resized(data)

    assert picture.mode == "L"
    assert colour(picture, mode="L") == (gray,)


@pytest.mark.parametrize(("mode", "values"), [("F", (-1.5, 0.0, 1.5)), ("I", (-100_000, 0, 100_000))])
def test_a_tiff_of_measured_values_is_shown_from_the_lowest_to_the_highest(mode, values):
    picture = plain(values[1], mode, (30, 30))
    picture.paste(values[0], (0, 0, 10, 30))
    picture.paste(values[2], (20, 0, 30, 30))

    shown = resized(encoded(picture, "TIFF"))

    assert [colour(shown, x, mode="L")[0] for x in (0.1, 0.5, 0.9)] == [0, pytest.approx(127, abs=1), 255]


def test_a_picture_of_one_bit_is_smoothed():
    stripes = plain(0, "1", (100, 100))
    for column in range(0, 100, 2):
        stripes.paste(1, (column, 0, column + 1, 100))

    picture = resized(encoded(stripes, "PNG"), size=10)

    assert picture.mode == "L"
    assert close(colour(picture, mode="L"), (127,), by=20)


def test_a_palette_picture_is_resized_by_its_colours_not_by_their_numbers():
    stripes = plain(RED, size=(100, 100))
    for column in range(0, 100, 2):
        stripes.paste(BLUE, (column, 0, column + 1, 100))

    assert close(colour(resized(encoded(stripes.quantize(2), "PNG"), size=10)), (127, 0, 127), by=20)


# ---------------------------------------------------------------- alpha


def half_transparent(image_format: str) -> bytes:
    """The left half is fully transparent (black below), the right half is opaque red."""
    picture = plain((0, 0, 0, 0), "RGBA")
    picture.paste((255, 0, 0, 255), (32, 0, 64, 48))
    if image_format == "PNG of a palette":
        palette = plain(0, "P")
        palette.putpalette([0, 0, 0, 255, 0, 0])
        palette.paste(1, (32, 0, 64, 48))
        return encoded(palette, "PNG", transparency=0)
    if image_format == "PNG with a transparent colour":
        return encoded(picture.convert("RGB"), "PNG", transparency=(0, 0, 0))
    return encoded(picture, image_format, **({"lossless": True} if image_format == "WEBP" else {}))


SOURCES_WITH_ALPHA = ["PNG", "PNG of a palette", "PNG with a transparent colour", "GIF", "WEBP", "TIFF", "AVIF"]


@pytest.mark.parametrize("format_", ["keep", "webp", "avif"])
@pytest.mark.parametrize("image_format", SOURCES_WITH_ALPHA)
def test_alpha_is_kept(image_format, format_):
    picture = resized(half_transparent(image_format), format_, size=32)

    assert colour(picture, 0.2, mode="RGBA")[3] < 10
    assert close(colour(picture, 0.8, mode="RGBA"), (255, 0, 0, 255))


@pytest.mark.parametrize("image_format", SOURCES_WITH_ALPHA)
def test_alpha_becomes_white_paper_in_a_jpeg(image_format):
    picture = resized(half_transparent(image_format), "jpeg", size=32)

    assert close(colour(picture, 0.2), WHITE)
    assert close(colour(picture, 0.8), RED)


def test_gray_with_alpha_keeps_both():
    data = encoded(plain((90, 120), "LA"), "PNG")

    assert colour(resized(data), mode="LA") == (90, 120)
    expected = 255 - (255 - 90) * 120 // 255
    assert close(colour(resized(data, "jpeg")), (expected,) * 3, by=3)


def test_transparent_pixels_do_not_bleed_into_their_neighbours():
    data = half_transparent("PNG")  # black below the transparency

    edge = resized(data, size=9).convert("RGBA")

    for x in range(9):
        red, _, _, alpha = colour(edge, (x + 0.5) / 9, mode="RGBA")
        assert alpha < 20 or red > 240


# ---------------------------------------------------------------- animations

FRAMES = [RED, GREEN, BLUE]
DURATIONS = [100, 250, 40]
DESCRIPTOR = b"," + struct.pack("<4H", 0, 0, 64, 48)  # of a frame in a GIF: left, top, width and height


def animation(image_format: str, **options: Any) -> bytes:
    first, *rest = [plain(frame) for frame in FRAMES]
    options = {"duration": DURATIONS, "loop": 0} | options
    return encoded(first, image_format, save_all=True, append_images=rest, **options)


def frames(picture: Any) -> list[tuple[Colour, int]]:
    seen = []
    for number in range(picture.n_frames):
        picture.seek(number)
        picture.load()
        seen.append((tuple(255 if value > 128 else 0 for value in colour(picture)), picture.info["duration"]))
    return seen


@pytest.mark.parametrize(("image_format", "format_"), [("GIF", "webp"), ("WEBP", "webp"), ("WEBP", "keep")])
def test_an_animation_stays_one_in_webp(image_format, format_):
    [large, small] = [
        Image.open(BytesIO(one.body)) for one in render(animation(image_format), [32, 16], [format_], PLENTY)
    ]

    assert (large.size, small.size) == ((32, 24), (16, 12))
    assert frames(large) == frames(small) == list(zip(FRAMES, DURATIONS, strict=True))
    assert large.info["loop"] == 0


@pytest.mark.parametrize(
    ("image_format", "format_"), [("GIF", "keep"), ("GIF", "jpeg"), ("GIF", "avif"), ("WEBP", "jpeg"), ("WEBP", "avif")]
)
def test_of_an_animation_anything_but_webp_has_the_first_frame(image_format, format_):
    picture = resized(animation(image_format), format_)

    assert getattr(picture, "n_frames", 1) == 1
    assert close(colour(picture), RED)


@pytest.mark.parametrize(
    ("options", "plays"), [({"loop": None}, 1), ({"loop": 0}, 0), ({"loop": 2}, 3), ({"loop": 65535}, 65535)]
)
def test_a_gif_that_is_repeated_n_times_is_shown_once_more_than_that(options, plays):
    assert resized(animation("GIF", **options), "webp").info["loop"] == plays


def test_a_webp_is_shown_as_often_as_before():
    assert resized(animation("WEBP", loop=2), "webp").info["loop"] == 2


def test_frames_that_change_only_a_part_are_completed():
    first = plain(RED)
    second = first.copy()
    second.paste(BLUE, (0, 0, 32, 48))
    data = encoded(first, "GIF", save_all=True, append_images=[second], duration=100)

    picture: Any = resized(data, "webp")
    picture.seek(1)

    assert close(colour(picture, 0.2), BLUE, by=30)
    assert close(colour(picture, 0.8), RED, by=30)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"hello", b"<html>", b"<svg/>", b"%PDF-1.7", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "],
)
def test_what_is_not_an_image_is_refused(data):
    with pytest.raises(Unreadable, match=r"it is (not an image|truncated or damaged)"):
        resized(data)


@pytest.mark.parametrize("format_", ["keep", "webp"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"])
def test_a_truncated_picture_is_refused(image_format, part, format_):
    data = encoded(noise(), image_format)

    with pytest.raises(Unreadable, match="damaged"):
        resized(data[: int(len(data) * part)], format_)


def test_a_truncated_progressive_jpeg_is_refused():
    data = encoded(noise(), "JPEG", progressive=True)

    with pytest.raises(Unreadable, match="truncated"):
        resized(data[: len(data) * 9 // 10])


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"])
@pytest.mark.parametrize("max_pixels", [100, 64 * 48 - 1])
def test_more_pixels_than_allowed_are_refused(max_pixels, image_format):
    with pytest.raises(Unreadable, match=f"it has more than {max_pixels} pixels"):
        resized(encoded(plain(RED), image_format), max_pixels=max_pixels)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"])
def test_exactly_as_many_pixels_as_allowed_are_read(image_format):
    assert resized(encoded(plain(RED), image_format), max_pixels=64 * 48).size == (64, 48)


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims a size and has next to no data."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(b"\0" * 100)
    chunks = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (header, pixels)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("size", [(50_000, 50_000), (2_000_000_000, 1), (10_001, 1000)])
def test_a_decompression_bomb_is_refused_by_its_header(size):
    with pytest.raises(Unreadable, match="more than 10000000 pixels"):
        resized(png(*size))


@pytest.mark.parametrize("size", [(65_536, 1), (1, 65_536)])
def test_a_side_that_is_too_long_is_refused_however_short_the_other_is(size):
    with pytest.raises(Unreadable, match="one of its sides is longer than 65535 pixels"):
        resized(png(*size))


@pytest.mark.parametrize("image_format", ["GIF", "WEBP"])
def test_too_many_frames_are_refused_however_small_they_are(image_format, monkeypatch):
    monkeypatch.setattr("image_resize.picture.MOST_FRAMES", 2)

    with pytest.raises(Unreadable, match="it has 3 frames, more than 2"):
        resized(animation(image_format), "webp")


def test_an_animation_that_lasts_longer_than_a_webp_can_is_refused():
    blink = [plain(RED, size=(2, 2)), plain(BLUE, size=(2, 2))] * 1700
    data = encoded(blink[0], "GIF", save_all=True, append_images=blink[1:], duration=655_350)

    with pytest.raises(Unreadable, match="it lasts longer"):
        resized(data, "webp")
    assert resized(data, "jpeg").size == (2, 2)


def test_a_picture_that_takes_more_memory_than_there_is_is_refused(monkeypatch):
    def fails(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "resize", fails)

    with pytest.raises(Unreadable, match="it takes more memory"):
        resized(encoded(plain(RED), "PNG"), size=32)


ONE_COLOUR = plain(RED, size=(1000, 800))
KINDS = {  # and the bytes that one pixel takes
    "JPEG": (encoded(ONE_COLOUR, "JPEG"), 5.4 / 64),
    "progressive JPEG": (encoded(ONE_COLOUR, "JPEG", progressive=True), 8 + 5.4 / 64),
    "PNG": (encoded(ONE_COLOUR, "PNG"), 7),
    "PNG with alpha": (encoded(ONE_COLOUR.convert("RGBA"), "PNG"), 12.7),
    "PNG with a transparent colour": (encoded(ONE_COLOUR, "PNG", transparency=BLUE), 12.7),
    "GIF": (encoded(ONE_COLOUR, "GIF"), 5.7),
    "WebP": (encoded(ONE_COLOUR, "WEBP"), 16),
    "AVIF": (encoded(ONE_COLOUR, "AVIF"), 10.7),
    "TIFF": (encoded(ONE_COLOUR, "TIFF"), 9),
    "BMP": (encoded(ONE_COLOUR, "BMP"), 8.7),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_there_is_no_memory_for_is_refused_before_a_pixel_is_decoded(kind, monkeypatch):
    data, bytes_a_pixel = KINDS[kind]
    takes = int(1000 * 800 * bytes_a_pixel + 50 * 40 * 14)
    [derivative] = module.render(BytesIO(data), [50], ["jpeg"], Limits(PLENTY, takes + 1))
    assert Image.open(BytesIO(derivative.body)).size == (50, 40)

    monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    with pytest.raises(Unreadable, match="a picture of its kind and size takes up to"):
        module.render(BytesIO(data), [50], ["jpeg"], Limits(PLENTY, takes - 1))


def test_the_frames_of_an_animation_need_memory_together():
    data = animation("GIF")
    takes = int(64 * 48 * 17.2 + 3 * 64 * 48 * 14)

    assert len(module.render(BytesIO(data), [64], ["webp"], Limits(PLENTY, takes + 1))) == 1
    with pytest.raises(Unreadable, match="a picture of its kind and size takes up to"):
        module.render(BytesIO(data), [64], ["webp"], Limits(PLENTY, takes - 1))


@pytest.mark.parametrize("image_format", ["GIF", "WEBP"])
def test_the_frames_of_an_animation_that_stays_one_count_together(image_format):
    limit = 64 * 48 * len(FRAMES)

    assert resized(animation(image_format), "webp", max_pixels=limit).size == (64, 48)
    with pytest.raises(Unreadable, match="3 frames of 64 x 48"):
        resized(animation(image_format), "webp", max_pixels=limit - 1)


def test_of_an_animation_that_becomes_a_still_only_the_first_frame_counts():
    assert resized(animation("GIF"), "jpeg", max_pixels=64 * 48).size == (64, 48)


def test_a_gif_that_grows_with_a_later_frame_is_refused_before_that_frame_is_decoded():
    before, first, later = animation("GIF").split(DESCRIPTOR, 2)
    grown = before + DESCRIPTOR + first + b"," + struct.pack("<4H", 0, 0, 60_000, 60_000) + later

    with pytest.raises(Unreadable, match="more than 10000000 pixels"):
        resized(grown, "webp")


def test_what_reaches_beyond_the_picture_in_a_later_frame_is_cut_off():
    before, first, later = animation("GIF").split(DESCRIPTOR, 2)
    grown = before + DESCRIPTOR + first + b"," + struct.pack("<4H", 16, 0, 64, 48) + later

    picture: Any = resized(grown, "webp")

    assert (picture.size, picture.n_frames) == ((64, 48), 3)
    picture.seek(1)
    assert close(colour(picture, 0.1), RED, by=30)
    assert close(colour(picture, 0.9), GREEN, by=30)


def test_pillow_is_left_as_it_was():
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)

    resized(encoded(plain(RED), "PNG"))
    with pytest.raises(Unreadable):
        resized(b"")

    assert limit == Image.MAX_IMAGE_PIXELS
    assert list(warnings.filters) == filters


SEEDS = [
    *(encoded(noise((24, 16)), image_format) for image_format in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")),
    encoded(plain((9, 9), "LA"), "PNG"),
    encoded(noise((24, 16)), "TIFF", compression="tiff_lzw"),
    with_secrets("JPEG"),
    with_secrets("PNG"),
    with_secrets("WEBP"),
    animation("GIF"),
    animation("WEBP"),
]


@settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=4)), max_size=6))
def test_damaged_bytes_are_rendered_or_refused_and_nothing_else(seed, damages):
    data = bytearray(seed)
    for place, damage in damages:
        at = place % len(data)
        data[at : at + len(damage)] = damage

    with suppress(Unreadable):
        assert len(render(bytes(data), [16], ["keep", "webp"], 1_000_000)) == 2
