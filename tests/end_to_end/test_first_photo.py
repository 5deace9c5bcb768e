"""The whole main road: a picture is posted at the upstream, and people see it."""

from __future__ import annotations

import hashlib
import re
import statistics

import requests
from playwright.sync_api import Page, expect

from tests.end_to_end.running import WATCH, Running

PUBLISHED = 4


def test_a_published_photo_is_painted_archived_and_in_the_admin(
    instance: Running, page: Page, complaints: list[str]
) -> None:
    tag = instance.demo["wall"].rstrip("/").rsplit("/", 1)[-1]
    page.add_init_script(WATCH)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(instance.demo["wall"] + "?dwell=3")
    expect(page.locator("body")).to_have_attribute("data-state", "live")
    page.wait_for_timeout(4500)  # whatever is shown now has had its time
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    delays = []
    for _ in range(PUBLISHED):
        post = instance.publish(tag)[0]
        native_id = post["native_id"]
        post_id, at = instance.painted(page, tag, native_id)
        delays.append(at - post["time"])
        shown = page.locator(f'article[data-post-id="{post_id}"]').first
        expect(shown).to_be_visible()
        # The picture is ours, in a size that fits, and it is there.
        photo = shown.locator("img.photo")
        address, width = photo.evaluate("img => [img.currentSrc, img.naturalWidth]")
        assert address.startswith(instance.demo["home"] + "media/r/"), address
        assert width > 0
        page.wait_for_timeout(5000)
    print(f"\npublish → painted, seconds: {[round(delay, 2) for delay in delays]}")
    assert statistics.median(delays) < 10
    home = instance.demo["home"]
    assert any(url.startswith(home + "media/r/") for url in asked)
    elsewhere = [url for url in asked if not url.startswith((home, "data:"))]
    assert elsewhere == []
    [kept] = instance.media(tag)[native_id]["assets"]
    assert kept["state"] == "ready"
    assert kept["original"]["sha256"] == _sha256(instance, kept["original"]["url"])

    page.goto(instance.demo["admin"])
    page.get_by_label("Username").fill(instance.demo["admin_user"])
    page.get_by_label("Password").fill(instance.demo["admin_password"])
    page.get_by_role("button", name=re.compile("Log in")).click()
    page.goto(f"{instance.demo['admin']}media_archive/mediaitem/{post_id}/change/")
    expect(page.locator("#content")).to_contain_text(native_id)


def _sha256(instance: Running, url: str) -> str:
    """Of what an analyst gets at ``url``."""
    said = {"Authorization": f"Token {instance.demo['analyst_token']}"}
    assert requests.get(url, timeout=10).status_code == 404
    answer = requests.get(url, headers=said, timeout=10)
    assert answer.status_code == 200
    return hashlib.sha256(answer.content).hexdigest()


def test_twelve_shots_of_one_moment_are_one_tile(
    instance: Running, page: Page, complaints: list[str]
) -> None:
    tag = instance.demo["wall"].rstrip("/").rsplit("/", 1)[-1]
    page.add_init_script(WATCH)
    page.goto(instance.demo["wall"])
    expect(page.locator("body")).to_have_attribute("data-state", "live")
    posted = {post["native_id"] for post in instance.publish(tag, 12, alike=True)}
    number = page.locator(".strip .more [aria-hidden]")
    expect(number).to_have_text(["+11"], timeout=60_000)
    media = instance.media(tag)
    shots = [media[native_id] for native_id in posted]
    assert len({shot["cluster_id"] for shot in shots}) == 1
    # It was on the stage, as one of them.
    ids = [str(shot["id"]) for shot in shots]
    page.wait_for_function("ids => ids.some((id) => window.painted[id])", arg=ids)
    # Who comes later sees the same, and its face first, as it is the newest.
    page.goto(instance.demo["wall"])
    expect(number).to_have_text(["+11"])
    expect(page.locator("article .more")).to_contain_text("and 11 more like it")


def test_a_burst_between_two_notifications_loses_none(instance: Running) -> None:
    tag = instance.demo["wall"].rstrip("/").rsplit("/", 1)[-1]
    posted = {post["native_id"] for post in instance.publish(tag, 300)}
    assert len(posted) == 300
    instance.until(lambda: posted <= instance.media(tag).keys(), 60)


def test_the_wall_needs_no_login_and_the_archive_does(instance: Running) -> None:
    assert instance.get("media/").status_code == 200
    token, instance.demo["analyst_token"] = instance.demo["analyst_token"], "wrong"
    try:
        assert instance.get("media/").status_code == 401
    finally:
        instance.demo["analyst_token"] = token
