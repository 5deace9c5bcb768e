"""The rounds of ``benchmarks.downloads``, in a process with the settings' environment.

    python3 -m benchmarks.downloads_rounds SANDBOX_URL TAG …

Fills an empty database and prints one JSON line.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import django
import requests
from django.core.management import call_command

django.setup()

from django.db import connection  # noqa: E402  Django must be set up first

from media_archive import downloads, files, ingest, journal  # noqa: E402
from media_archive.downloads import schedule  # noqa: E402
from media_archive.models import SETTLED, Download, MediaAsset  # noqa: E402
from media_archive.records import (  # noqa: E402
    AssetSource,
    IncomingAsset,
    IncomingMedia,
    Kind,
)
from tests.sandbox.started import SECRET  # noqa: E402

AT_ONCE = 4
# The first retry comes after 0.2 s in place of 30.
schedule.WAITS = tuple(0.1 * 2**n for n in range(len(schedule.WAITS)))
PROVIDER = "instagram_v1"


def main(url: str, tags: list[str]) -> None:
    """One round for each tag, one way first and then the other."""
    call_command("migrate", interactive=False, verbosity=0)
    rounds = []
    for number, tag in enumerate(tags):
        records = listing(url, tag)
        truth = true_hashes(url, tag)
        ways: dict[str, Callable[[], dict[str, float]]] = {
            "ours": lambda records=records, truth=truth: ours(records, truth),
            "naive": lambda records=records, truth=truth: naive(records, truth),
        }
        order = ["ours", "naive"] if number % 2 == 0 else ["naive", "ours"]
        found: dict[str, Any] = {way: measured(ways[way], records) for way in order}
        rounds.append(found | {"posts": len(records)})
    print(json.dumps(rounds))


def listing(url: str, tag: str) -> list[IncomingMedia]:
    """Every post of the tag, with the address of its largest picture."""
    records: dict[str, IncomingMedia] = {}
    query: dict[str, Any] = {"client_id": "rehearsal", "count": 33}
    while True:
        answer = requests.get(
            f"{url}/v1/tags/{tag}/media/recent", params=query, timeout=30
        )
        page = answer.json()
        for post in page["data"]:
            native_id = str(post["id"]).partition("_")[0]
            image = post["images"]["standard_resolution"]
            size = AssetSource("standard_resolution", image["url"], Kind.IMAGE)
            asset = IncomingAsset(Kind.IMAGE, [size])
            records[native_id] = IncomingMedia(
                native_id, Kind.IMAGE, {"id": native_id}, assets=[asset]
            )
        below = page.get("pagination", {}).get("next_max_tag_id")
        if not below:
            return list(records.values())
        query["max_tag_id"] = below


def true_hashes(url: str, tag: str) -> dict[str, list[str]]:
    """Native id → the hashes of what the sandbox has for it."""
    answer = requests.get(
        f"{url}/sandbox/pictures/",
        params={"tag": tag},
        headers={"Authorization": f"Bearer {SECRET}"},
        timeout=120,
    )
    told: dict[str, list[str]] = answer.json()["pictures"]
    return told


def measured(
    work: Callable[[], dict[str, float]], records: list[IncomingMedia]
) -> dict[str, float]:
    """What ``work`` says, with downloads per second and seconds of processor each."""
    cpu, began = processor(), time.monotonic()
    said = work()
    took = time.monotonic() - began - said.pop("checking", 0)
    used = processor() - cpu - said.pop("checking_cpu", 0)
    return said | {"rate": len(records) / took, "cpu": used / len(records)}


def ours(records: list[IncomingMedia], truth: dict[str, list[str]]) -> dict[str, float]:
    """Stored as posts, then worked off until nothing is left to do."""
    with journal.recording() as recording:
        ids = ingest.store(recording, PROVIDER, records).new
    rows = Download.objects.filter(asset__item__in=ids)

    def work() -> None:
        while rows.exclude(state__in=SETTLED).exists():
            downloads.work_off()
            time.sleep(0.05)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    began, cpu = time.monotonic(), processor()
    lost = wrong = 0
    assets = MediaAsset.objects.filter(item__in=ids).select_related("picture", "item")
    for asset in assets:
        if asset.picture is None:
            lost += 1
            continue
        with files.open_file(asset.picture.name) as kept:
            digest = hashlib.sha256(kept.read()).hexdigest()
        wrong += digest not in truth[asset.item.native_id]
    retries = sum(rows.values_list("attempts", flat=True))
    return {
        "lost": lost,
        "wrong": wrong,
        "retries": retries,
        "checking": time.monotonic() - began,
        "checking_cpu": processor() - cpu,
    }


def naive(
    records: list[IncomingMedia], truth: dict[str, list[str]]
) -> dict[str, float]:
    """What is asked for is written down, whatever it is."""
    with tempfile.TemporaryDirectory() as folder:

        def fetch(record: IncomingMedia) -> None:
            url = record.assets[0].sources[0].url
            try:
                content = requests.get(url, timeout=30).content
            except requests.RequestException:
                return
            Path(folder, f"{record.native_id}.jpg").write_bytes(content)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(fetch, records))
        began, cpu = time.monotonic(), processor()
        lost = wrong = 0
        for record in records:
            path = Path(folder, f"{record.native_id}.jpg")
            if not path.exists():
                lost += 1
                continue
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            wrong += digest not in truth[record.native_id]
        return {
            "lost": lost,
            "wrong": wrong,
            "retries": 0,
            "checking": time.monotonic() - began,
            "checking_cpu": processor() - cpu,
        }


def processor() -> float:
    """Seconds that this process and its ended children have used."""
    usage = [
        resource.getrusage(who)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return sum(one.ru_utime + one.ru_stime for one in usage)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
