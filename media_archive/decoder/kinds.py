"""What a file is, by its first bytes: never by its name, never by what was said.

Films are known and not opened. For what is neither picture nor film there are words
that an operator understands.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from media_archive.decoder.messages import NOT_AN_IMAGE, Refusal

HEAD = 4096
"""Bytes that are looked at."""
PILLOW = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/heic": "HEIF",
}
"""Content type → the one format that Pillow may try."""
FILMS = ("video/mp4", "video/quicktime", "video/webm")

_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_MP4 = {
    *(b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9"),
    *(b"mp41", b"mp42", b"mp71", b"avc1", b"dash", b"M4V ", b"M4VH", b"M4VP", b"mmp4"),
    *(b"MSNV", b"f4v ", b"3gp4", b"3gp5", b"3gp6", b"3gp7", b"3g2a", b"cmfc", b"hvc1"),
}
_BOXES = {
    *(b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"uuid", b"meta"),
    *(b"styp", b"sidx", b"pdin", b"ssix", b"prft", b"emsg"),
}
_WORDS = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a script"),
    (b"BM", "a BMP picture, which is not taken"),
    (b"II*\x00", "a TIFF picture, which is not taken"),
    (b"MM\x00*", "a TIFF picture, which is not taken"),
    (b"8BPS", "a Photoshop file, which is not taken"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture, which is not taken"),
    (b"\xff\x0a", "a JPEG XL picture, which is not taken"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture, which is not taken"),
    (b"\x00\x00\x01\x00", "an icon, which is not taken"),
    (b"%!PS", "a PostScript document"),
    (b"ID3", "a sound"),
    (b"OggS", "an Ogg file, which is not taken"),
)


def content_type(file: BinaryIO) -> str:
    """The content type of ``file``, which is read from its start.

    Raises ``Refusal`` with what it is instead.
    """
    head = file.read(HEAD)
    kind = _picture(head) or _film(head, file)
    if kind is None:
        raise Refusal(NOT_AN_IMAGE, f"This is not a picture: it is {_words(head)}.")
    return kind


def _picture(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    brands = _brands(head)
    # The first is the one that counts; "mif1" only says that it is some picture.
    for brand in brands if brands[:1] in ([b"mif1"], [b"msf1"]) else brands[:1]:
        if brand in _AVIF:
            return "image/avif"
        if brand in _HEIC:
            return "image/heic"
    return None


def _film(head: bytes, file: BinaryIO) -> str | None:
    if head.startswith(b"\x1aE\xdf\xa3"):
        # EBML's DocType, a short text; Matroska in general is not for browsers.
        return "video/webm" if b"\x42\x82\x84webm" in head[:64] else None
    brands = _brands(head)
    (length,) = struct.unpack(">I", head[:4]) if brands else (0,)
    file.seek(length)
    if not brands or file.read(8)[4:] not in _BOXES:
        return None
    if brands[0] == b"qt  ":
        return "video/quicktime"
    return "video/mp4" if any(brand in _MP4 for brand in brands) else None


def _brands(head: bytes) -> list[bytes]:
    """What an ISO media file says it is: the main brand, then those it fits."""
    if head[4:8] != b"ftyp" or len(head) < 16:
        return []
    (length,) = struct.unpack(">I", head[:4])
    if not 16 <= length <= min(len(head), 1024):
        return []
    return [head[8:12], *(head[at : at + 4] for at in range(16, length - 3, 4))]


def _words(head: bytes) -> str:
    if not head:
        return "empty"
    for start, words in _WORDS:
        if head.startswith(start):
            return words
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text[:1024]:
        return "an SVG drawing, which may hold programs"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--")):
        return "an HTML page"
    if text.startswith(b"<"):
        return "an XML or HTML document"
    if text.startswith((b"{", b"[")):
        return "a JSON document"
    if head[4:8] == b"ftyp":
        return "a film or picture of a kind that is not taken"
    if all(byte >= 9 for byte in head[:256]):
        return "text, or of a kind that is not known"
    return "of a kind that is not known"
