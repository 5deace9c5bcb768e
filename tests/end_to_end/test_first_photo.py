"""The whole main road: a picture is posted at the upstream, and people see it."""

from __future__ import annotations

import re
import statistics

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

    delays = []
    for _ in range(PUBLISHED):
        post = instance.publish(tag)[0]
        native_id = post["native_id"]
        post_id, at = instance.painted(page, tag, native_id)
        delays.append(at - post["time"])
        shown = page.locator(f'article[data-post-id="{post_id}"]').first
        expect(shown).to_be_visible()
        page.wait_for_timeout(5000)
    print(f"\npublish → painted, seconds: {[round(delay, 2) for delay in delays]}")
    assert statistics.median(delays) < 10

    page.goto(instance.demo["admin"])
    page.get_by_label("Username").fill(instance.demo["admin_user"])
    page.get_by_label("Password").fill(instance.demo["admin_password"])
    page.get_by_role("button", name=re.compile("Log in")).click()
    page.goto(f"{instance.demo['admin']}media_archive/mediaitem/{post_id}/change/")
    expect(page.locator("#content")).to_contain_text(native_id)


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
