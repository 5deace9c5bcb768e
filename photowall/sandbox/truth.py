"""What the sandbox serves, for who wants to compare: every size's hash, by post."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from media_archive.models import MediaAsset
from photowall.sandbox.gallery import picture_path

ADDRESS = re.compile(r"/sandbox/pictures/(\d+)-([\w-]+)\.jpg")


def hashes(tag: str) -> dict[str, list[str]]:
    """Native id → the SHA-256 of each size of the post's picture, for every post that
    the tag's listing has ever held."""
    assets = MediaAsset.objects.filter(item__listings__tag__name=tag).order_by("pk")
    told: dict[str, list[str]] = {}
    for native_id, sources in assets.values_list("item__native_id", "sources"):
        for source in sources:
            if found := ADDRESS.search(source["url"]):
                told.setdefault(native_id, []).append(_hash(int(found[1]), found[2]))
    return told


@lru_cache(maxsize=4096)
def _hash(seed: int, size: str) -> str:
    return hashlib.sha256(picture_path(seed, size).read_bytes()).hexdigest()
