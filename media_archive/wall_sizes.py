"""How wide a picture is on the wall's stage, for a ``sizes`` attribute.

The page's own script says the same of each post (``sizesFor`` in ``picture.js``, after
``wall.css``): only then is the file that was preloaded the one that is shown.
"""

from __future__ import annotations

WIDE = 1.95
PORTRAIT = "min(1.7778vw, 1vh)"
LANDSCAPE = "min(1vw, 1.7778vh)"


def sizes_for(width: int | None, height: int | None) -> str:
    """For a picture of so many pixels; a square where they are not known."""
    ratio = width / height if width and height else 1.0
    wide = ratio > WIDE
    across, along = ("0.94", 0.76) if wide else ("0.66", 0.98)
    phone = f"min(100vw - 32px, (100vh - 124px) * {0.58 * ratio:.3f})"
    portrait = (
        f"min(100vw - 4.4 * {PORTRAIT}, "
        f"(100vh - 16.1 * {PORTRAIT}) * {0.7 * ratio:.3f})"
    )
    landscape = (
        f"min((100vw - 4.4 * {LANDSCAPE}) * {across}, "
        f"(100vh - 15.2 * {LANDSCAPE}) * {along * ratio:.3f})"
    )
    queries = [f"(max-width: 720px) {phone}", f"(orientation: portrait) {portrait}"]
    return ", ".join([*queries, landscape])
