"""Pictures, good ones and others, made here: by Pillow, or of raw bytes where no encoder makes what is wanted."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")


@dataclass(frozen=True)
class Case:
    """Attributes:
    name: for the reader of a failure.
    key: of the object that is uploaded.
    """

    name: str
    data: bytes
    key: str = "photos/cat.jpg"


def encoded(picture: Image.Image, image_format: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, image_format, **options)
    return file.getvalue()


def quarters() -> Image.Image:
    """Red, green / blue, white; wider than high."""
    picture = Image.new("RGB", (80, 40), WHITE)
    picture.paste(RED, (0, 0, 40, 20))
    picture.paste(GREEN, (40, 0, 80, 20))
    picture.paste(BLUE, (0, 20, 40, 40))
    return picture


def noise(size: tuple[int, int] = (120, 90)) -> Image.Image:
    """The same in every run, and hard to compress."""
    state, values = 1, bytearray()
    for _ in range(size[0] * size[1] * 3):
        state = (state * 1103515245 + 12345) % 2**31  # any generator that does not depend on a library
        values.append(state >> 16 & 255)
    return Image.frombytes("RGB", size, bytes(values))


def animation(image_format: str, frames: tuple[Any, ...] = (RED, GREEN, BLUE), **options: Any) -> bytes:
    first, *rest = [frame if isinstance(frame, Image.Image) else Image.new("RGB", (80, 40), frame) for frame in frames]
    return encoded(first, image_format, save_all=True, append_images=rest, **{"duration": 100, "loop": 0} | options)


# ---------------------------------------------------------------- raw bytes


def zeros(count: int) -> bytes:
    """So many zero bytes, compressed by zlib, without compressing them all: each megabyte is the same block."""
    compressor = zlib.compressobj(9, wbits=-15)
    block = compressor.compress(bytes(2**20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    rest = zlib.compressobj(9, wbits=-15)
    end = rest.compress(bytes(count % 2**20)) + rest.flush()
    return b"\x78\xda" + block * (count // 2**20) + end + struct.pack(">HH", count % 65521, 1)  # Adler-32


def chunk(name: bytes, body: bytes) -> bytes:
    """Of a PNG: https://www.w3.org/TR/png-3/#5Chunk-layout"""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def png(width: int, height: int, depth: int, colour: int, *extra: bytes, pixels: bytes | None = None) -> bytes:
    """A PNG of that colour type.

    Args:
        extra: chunks before the pixels.
        pixels: of one row; zeros in all of them when None.
    """
    row = 1 + (width * CHANNELS[colour] * depth + 7) // 8
    data = zeros(row * height) if pixels is None else zlib.compress((b"\0" + pixels) * height)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *extra, chunk(b"IDAT", data), chunk(b"IEND", b"")],
    )


def vp8l(width: int, height: int) -> bytes:
    """A lossless WebP's picture of one colour: five codes of one symbol each, so that no pixel takes a bit.

    https://developers.google.com/speed/webp/docs/webp_lossless_bitstream_specification
    """
    fields = [(0x2F, 8), (width - 1, 14), (height - 1, 14), (1, 1), (0, 3), (0, 3), *[(0b0001, 4)] * 5]
    bits, length = 0, 0
    for value, size in fields:
        bits |= value << length
        length += size
    return bits.to_bytes((length + 7) // 8, "little")


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP: https://developers.google.com/speed/webp/docs/riff_container"""
    body = b"WEBP" + b"".join(_riff_chunk(*one) for one in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _riff_chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def webp(width: int, height: int, *extra: tuple[bytes, bytes], flags: int = 0x10) -> bytes:
    """With other chunks, which the flags announce: 0x20 a profile, 0x08 EXIF. 0x10 is alpha."""
    header = bytes([flags, 0, 0, 0]) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    icc = [one for one in extra if one[0] == b"ICCP"]
    return riff((b"VP8X", header), *icc, (b"VP8L", vp8l(width, height)), *[one for one in extra if one not in icc])


def webp_frames(count: int, milliseconds: int) -> bytes:
    frame = bytes(6) + b"\3\0\0" * 2 + struct.pack("<I", milliseconds)[:3] + b"\0" + _riff_chunk(b"VP8L", vp8l(4, 4))
    return riff((b"VP8X", b"\x12\0\0\0" + b"\3\0\0" * 2), (b"ANIM", bytes(6)), *[(b"ANMF", frame)] * count)


def gif_frames(count: int, hundredths: int, side: int = 1) -> bytes:
    """Frames of one pixel on a screen of that side: https://www.w3.org/Graphics/GIF/spec-gif89a.txt"""
    frame = b"!\xf9\4" + struct.pack("<BHBB", 0, hundredths, 0, 0)
    frame += b"," + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
    return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frame * count + b";"


Tags = dict[int, tuple[str, Any]]
"""The type of each tag (B, H or L, as in `struct`), and its values, or their bytes; None for where the data lies."""


def tiff(tags: Tags, data: bytes) -> bytes:
    """A TIFF of these tags: https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf"""
    types = {"B": 1, "H": 3, "L": 4}
    at = 8 + 2 + 12 * len(tags) + 4
    beside = sum(len(raw) for kind, values in tags.values() if len(raw := _raw(kind, values, 0)) > 4)
    entries, elsewhere = b"", b""
    for tag, (kind, values) in sorted(tags.items()):
        raw = _raw(kind, values, at + beside)
        entries += struct.pack("<HHL", tag, types[kind], len(raw) // struct.calcsize(f"<{kind}"))
        entries += raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack("<L", at + len(elsewhere))
        elsewhere += raw if len(raw) > 4 else b""
    return b"II*\0" + struct.pack("<LH", 8, len(tags)) + entries + bytes(4) + elsewhere + data


def _raw(kind: str, values: Any, data_at: int) -> bytes:
    if isinstance(values, bytes):
        return values
    values = [data_at] if values is None else values
    return struct.pack(f"<{len(values)}{kind}", *values)


def tiff_of(width: int, height: int, bits: int, channels: int, photometric: int, others: Tags | None = None) -> bytes:
    """A deflated TIFF of zeros, in one strip."""
    data = zeros(width * height * channels * bits // 8)
    tags: Tags = {256: ("L", [width]), 257: ("L", [height]), 258: ("H", [bits] * channels), 259: ("H", [8])}
    tags |= {262: ("H", [photometric]), 273: ("L", None), 277: ("H", [channels]), 278: ("L", [height])}
    return tiff(tags | {279: ("L", [len(data)])} | (others or {}), data)


def tiff_tile(side: int) -> bytes:
    """Sixteen pixels square, and says that its one tile is so much larger; all of that is there, deflated."""
    data = zeros(side * side * 4)
    return tiff(
        {256: ("L", [16]), 257: ("L", [16]), 258: ("H", [8] * 4), 259: ("H", [8]), 262: ("H", [2]), 277: ("H", [4])}
        | {322: ("L", [side]), 323: ("L", [side]), 324: ("L", None), 325: ("L", [len(data)]), 338: ("H", [2])},
        data,
    )


def tiff_strips(count: int) -> bytes:
    """Four pixels square, in far too many strips."""
    return tiff(
        {256: ("L", [4]), 257: ("L", [4]), 258: ("H", [8]), 259: ("H", [1]), 262: ("H", [1]), 277: ("H", [1])}
        | {273: ("L", b"\x08\0\0\0" * count), 278: ("L", [1]), 279: ("L", [4])},
        bytes(16),
    )


def segments(jpeg: bytes, *bodies: tuple[int, bytes]) -> bytes:
    """The JPEG with these marker segments after its first marker."""
    added = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in bodies)
    return jpeg[:2] + added + jpeg[2:]


def resized_jpeg_header(width: int, height: int) -> bytes:
    """A small JPEG that claims another size."""
    data = encoded(quarters(), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def resized_bmp_header(width: int, height: int) -> bytes:
    data = encoded(quarters(), "BMP")
    return data[:18] + struct.pack("<II", width, height) + data[26:]


def resized_avif_header(width: int, height: int) -> bytes:
    """Its image spatial extents property (ISO/IEC 23008-12) claims another size."""
    data = encoded(quarters(), "AVIF")
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


# ---------------------------------------------------------------- metadata

CANARY = b"CANARY-7f3a"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + CANARY + b"</x:xmpmeta>"


def _exif() -> bytes:
    """An Orientation of 1, an artist, a copyright, a maker's note, and a GPS directory."""
    exif, text = Image.Exif(), CANARY.decode()
    exif[0x0112], exif[0x013B], exif[0x8298] = 1, f"{text}-artist", f"{text}-copyright"
    exif.get_ifd(0x8769)[0x927C] = CANARY + b"-maker-note"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (37.0, 33.0, 58.0), "E", (126.0, 58.0, 41.0)
    gps[28] = CANARY + b"-place"
    return exif.tobytes()


def _iptc() -> bytes:
    """A caption, as a Photoshop resource holds it (IPTC-IIM 2:120 in 8BIM 0x0404)."""
    caption = CANARY + b"-caption"
    record = b"\x1c\x02\x78" + struct.pack(">H", len(caption)) + caption
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + bytes(len(record) % 2)


def with_metadata(image_format: str) -> bytes:
    """The quarters with everything that the format can carry beside pixels, each with the canary in it."""
    match image_format:
        case "JPEG":
            data = encoded(quarters(), "JPEG", exif=_exif(), xmp=XMP, comment=CANARY, quality=95, subsampling=0)
            profile = (0xE2, b"ICC_PROFILE\0\1\1" + CANARY)
            return (
                segments(data, (0xED, b"Photoshop 3.0\0" + _iptc()), profile) + CANARY
            )  # the last lies behind the end
        case "PNG":
            text = PngInfo()
            text.add_text("Comment", CANARY.decode())
            text.add_text("Raw profile type iptc", CANARY.decode(), zip=True)
            text.add_itxt("XML:com.adobe.xmp", XMP.decode())
            text.add(b"prVt", CANARY)
            return encoded(quarters(), "PNG", exif=_exif(), pnginfo=text, icc_profile=CANARY)
        case "TIFF":
            info = {270: CANARY.decode(), 315: CANARY.decode(), 700: XMP, 33723: CANARY, 34377: _iptc()}
            return encoded(quarters(), "TIFF", tiffinfo=info, icc_profile=CANARY)
        case "GIF":
            data = encoded(quarters(), "GIF", comment=CANARY)
            xmp = b"!\xff\x0bXMP DataXMP" + bytes([len(XMP)]) + XMP + b"\0"
            at = data.index(b"!\xfe")
            return data[:at] + xmp + data[at:]
        case _:
            return encoded(quarters(), image_format, exif=_exif(), xmp=XMP, icc_profile=CANARY, quality=95)
