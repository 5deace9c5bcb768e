"""Where the sandbox's photos were taken: named, nameless, or not said."""

from __future__ import annotations

from random import Random

from media_archive.records import IncomingPlace

_NAMED = [
    ("213385402", "Lisboa, Portugal", 38.7223, -9.1393),
    ("212988663", "Brooklyn Bridge", 40.7061, -73.9969),
    ("218151", "東京タワー", 35.6586, 139.7454),
    ("230139", "חוף גורדון", 32.0833, 34.7670),
    ("251922", "المدينة القديمة", 31.7767, 35.2345),
    ("64310", "Café “Zur Post” & Söhne", 48.1374, 11.5755),
    ("990021", "Main Stage", 52.5163, 13.3777),
    ("111957", "Aoraki / Mount Cook", -43.5950, 170.1418),
]


def some_place(random: Random) -> IncomingPlace | None:
    """A place, with everything the old API left out now and then: its name, its
    id and name (then it is a bare position), or all of it."""
    kind = random.random()
    if kind < 0.5:
        return None
    native_id, name, latitude, longitude = random.choice(_NAMED)
    if kind < 0.85:
        return IncomingPlace(native_id, name, latitude, longitude)
    if kind < 0.92:
        return IncomingPlace(native_id, None, latitude, longitude)
    return IncomingPlace(
        latitude=round(latitude + random.uniform(-0.2, 0.2), 6),
        longitude=round(longitude + random.uniform(-0.2, 0.2), 6),
    )
