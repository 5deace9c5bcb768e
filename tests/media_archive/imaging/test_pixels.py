"""What people see: orientation, colours, transparency, and nothing but pixels."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageCms

from media_archive.imaging import Looked, Rendered
from tests.media_archive.imaging.drawings import (
    BLUE,
    FIXTURES,
    GREEN,
    RED,
    YELLOW,
    a_photo,
    display_p3,
    encoded,
    quarters,
)

Look = Callable[[bytes], Looked]
Render = Callable[..., Rendered]
Shown = Callable[..., Image.Image]
OF_THE_FORMAT = {
    *("jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive"),
    *("progression", "loop", "background", "timestamp", "duration"),
}
ORIENTATION, MAKER, PLACE = 0x0112, 0x010F, 0x8825


def near(one: object, other: tuple[int, ...], by: int = 12) -> bool:
    assert isinstance(one, tuple)
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    """The colours of the four quarters, as of a page that is read."""
    width, height = image.size
    places = [(1, 1), (3, 1), (1, 3), (3, 3)]
    found = [image.getpixel((width * x // 4, height * y // 4)) for x, y in places]
    return [pixel for pixel in found if isinstance(pixel, tuple)]


def oriented(number: int, kind: str) -> bytes:
    """A picture that looks as ``quarters()`` once its orientation is applied."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = quarters(320, 240)
    if number in undo:
        image = image.transpose(undo[number])
    notes = Image.Exif()
    notes[ORIENTATION] = number
    return encoded(image, kind, exif=notes)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("number", range(1, 9))
def test_pictures_stand_upright(
    look: Look, shown: Shown, number: int, kind: str
) -> None:
    content = oriented(number, kind)
    assert (look(content).width, look(content).height) == (320, 240)
    for spec in ("w480.webp.1", "w240.jpeg.1"):
        image = shown(content, spec)
        assert image.size == ((320, 240) if spec.startswith("w480") else (240, 180))
        for seen, meant in zip(corners(image), (RED, GREEN, BLUE, YELLOW), strict=True):
            assert near(seen, meant)


def test_a_phones_picture_stands_upright(shown: Shown) -> None:
    seen = corners(shown((FIXTURES / "turned_with_place.heic").read_bytes()))
    for pixel, meant in zip(seen, (BLUE, RED, YELLOW, GREEN), strict=True):
        assert near(pixel, meant)


def test_an_orientation_that_is_none_is_passed_over(look: Look, shown: Shown) -> None:
    for number in (0, 9, 77):
        content = oriented(number, "JPEG")
        assert (look(content).width, look(content).height) == (320, 240)
        assert near(corners(shown(content))[0], RED)


@pytest.mark.parametrize(
    "notes",
    [b"Exif\x00\x00", b"Exif\x00\x00MM\x00*\xff\xff\xff\xff", b"Exif\x00\x00" * 900],
)
def test_broken_notes_of_a_camera_cost_nothing(shown: Shown, notes: bytes) -> None:
    assert near(corners(shown(encoded(quarters(), exif=notes)))[0], RED)


def with_notes(kind: str) -> bytes:
    notes = Image.Exif()
    notes[MAKER] = "Cameras of Photowall"
    place = notes.get_ifd(PLACE)
    place[1], place[2], place[3], place[4] = "N", (52.0, 31.0, 12.0), "E", (13.0, 0, 0)
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>Ada at home</x:xmpmeta>"
    return encoded(
        quarters(640, 480), kind, exif=notes, xmp=xmp, icc_profile=display_p3()
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_renditions_hold_pixels_and_nothing_else(render: Render, kind: str) -> None:
    content = with_notes(kind)
    source = Image.open(io.BytesIO(content))
    assert source.getexif()[MAKER] == "Cameras of Photowall"
    assert source.getexif().get_ifd(PLACE)
    assert source.info["icc_profile"]
    specs = ("w480.webp.1", "w480.jpeg.1", "s168.webp.1", "bg.webp.1")
    made = render(content, *specs).made
    assert len(made) == 4
    for one in made:
        held = one.path.read_bytes()
        for word in (b"Photowall", b"Ada at home", b"Exif", b"xmp", b"ICC"):
            assert word not in held
        image = Image.open(one.path)
        assert dict(image.getexif()) == {}
        assert {*image.info} <= OF_THE_FORMAT


def test_a_phones_place_is_not_told(render: Render) -> None:
    content = (FIXTURES / "turned_with_place.heic").read_bytes()
    assert b"Cameras of Photowall" in content
    (made,) = render(content).made
    assert b"Photowall" not in made.path.read_bytes()


def test_colours_of_another_profile_are_converted(shown: Shown) -> None:
    """The same numbers mean a stronger red to a phone than to a page."""
    plain = Image.new("RGB", (64, 64), (200, 100, 60))
    meant = shown(encoded(plain, "PNG", icc_profile=display_p3())).getpixel((30, 30))
    as_is = shown(encoded(plain, "PNG")).getpixel((30, 30))
    assert near(as_is, (200, 100, 60), by=4)
    assert near(meant, (214, 95, 52), by=5)


def test_grey_with_a_profile_and_profiles_that_do_not_fit(shown: Shown) -> None:
    grey = Image.new("L", (64, 64), 120)
    for profile in (display_p3(), b"", b"nonsense" * 40, display_p3()[:200]):
        image = shown(encoded(grey, "PNG", icc_profile=profile))
        assert near(image.getpixel((30, 30)), (120, 120, 120), by=3)


def test_a_broken_profile_costs_nothing(shown: Shown) -> None:
    broken = bytearray(display_p3())
    for at in range(128, len(broken), 3):
        broken[at] ^= 0xFF
    image = shown(encoded(quarters(), "PNG", icc_profile=bytes(broken)))
    assert near(corners(image)[0], RED)


MODES = {
    "1-bit": encoded(Image.new("1", (64, 64), 1), "PNG"),
    "grey": encoded(Image.new("L", (64, 64), 255), "PNG"),
    "16-bit grey": encoded(Image.new("I;16", (64, 64), 0xFFFF), "PNG"),
    "CMYK": encoded(Image.new("CMYK", (64, 64), (0, 0, 0, 0)), "JPEG"),
    "grey JPEG": encoded(Image.new("L", (64, 64), 255), "JPEG"),
    "palette": encoded(Image.new("RGB", (64, 64), "white").convert("P"), "PNG"),
    "GIF": encoded(Image.new("RGB", (64, 64), "white"), "GIF"),
    "grey, see-through": encoded(Image.new("LA", (64, 64), (255, 255)), "PNG"),
}


@pytest.mark.parametrize("name", MODES)
def test_every_way_to_keep_colours_is_read(shown: Shown, name: str) -> None:
    image = shown(MODES[name])
    assert image.mode == "RGB"
    assert near(image.getpixel((30, 30)), (255, 255, 255), by=2)


def test_16_bits_are_not_cut_off(shown: Shown) -> None:
    image = shown(encoded(Image.new("I;16", (64, 64), 0x8000), "PNG"))
    assert near(image.getpixel((30, 30)), (128, 128, 128), by=2)


def test_cmyk_is_the_right_way_round(shown: Shown) -> None:
    image = shown(encoded(quarters(320, 240).convert("CMYK"), "JPEG"))
    for seen, meant in zip(corners(image), (RED, GREEN, BLUE, YELLOW), strict=True):
        assert near(seen, meant, by=20)


def logo(colour: tuple[int, int, int], kind: str, **options: object) -> bytes:
    """A square in the middle of nothing."""
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((*colour, 255), (16, 16, 48, 48))
    return encoded(image, kind, **options)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("spec", ["w480.webp.1", "w480.jpeg.1"])
def test_what_is_see_through_lies_on_a_ground_that_fits(
    shown: Shown, kind: str, spec: str
) -> None:
    dark = shown(logo((10, 20, 60), kind), spec)
    assert near(dark.getpixel((4, 4)), (255, 255, 255), by=4)
    assert near(dark.getpixel((32, 32)), (10, 20, 60))
    light = shown(logo((250, 250, 240), kind), spec)
    assert near(light.getpixel((4, 4)), (24, 24, 27), by=4)
    assert near(light.getpixel((32, 32)), (250, 250, 240))


def test_see_through_palettes_and_keys_too(shown: Shown) -> None:
    palette = Image.new("P", (64, 64), 0)
    palette.putpalette([0, 0, 0, 200, 30, 30])
    palette.paste(1, (16, 16, 48, 48))
    for content in (
        encoded(palette, "PNG", transparency=0),
        encoded(palette, "PNG", transparency=b"\x00\xff"),
        encoded(palette, "GIF", transparency=0),
    ):
        image = shown(content)
        assert near(image.getpixel((4, 4)), (255, 255, 255), by=4)
        assert near(image.getpixel((32, 32)), (200, 30, 30))


def test_large_see_through_pictures_have_no_dark_edges(shown: Shown) -> None:
    """They are shrunk in bands: no seam is seen, and nothing of the hidden colour."""
    image = Image.new("RGBA", (3000, 2500), (255, 0, 0, 0))
    image.paste((0, 0, 200, 255), (0, 0, 1500, 2500))
    seen = shown(encoded(image, "PNG", compress_level=1), "w240.webp.1")
    assert seen.size == (240, 200)
    for row in range(200):
        assert near(seen.getpixel((40, row)), (0, 0, 200))
        assert near(seen.getpixel((200, row)), (255, 255, 255))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_shrinking_keeps_what_is_where(shown: Shown, mode: str) -> None:
    content = encoded(quarters(2000, 1500).convert(mode), "JPEG")
    seen = corners(shown(content, "w240.webp.1"))
    for pixel, meant in zip(seen, (RED, GREEN, BLUE, YELLOW), strict=True):
        grey = round(0.299 * meant[0] + 0.587 * meant[1] + 0.114 * meant[2])
        assert near(pixel, (grey,) * 3 if mode == "L" else meant, by=20)


def test_a_photo_looks_as_it_did(shown: Shown) -> None:
    photo = a_photo(1200, 900)
    seen = shown(encoded(photo, quality=95), "w800.webp.1")
    wanted = photo.resize((800, 600), Image.Resampling.LANCZOS)
    pairs = zip(seen.tobytes(), wanted.tobytes(), strict=True)
    error = sum((a - b) ** 2 for a, b in pairs) / (800 * 600 * 3)
    assert error < 30  # more than 33 dB: nobody tells them apart


def test_our_own_profile_is_what_is_meant() -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(display_p3()))
    assert "P3" in str(profile.profile.profile_description)
