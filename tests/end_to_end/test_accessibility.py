"""Every page of ours by the rules of axe-core, on a screen and on a phone.

What the admin and Swagger UI themselves get wrong is named here, rule by rule, so
that anything else, and anything of ours, is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.end_to_end.running import Running

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
RUN = """
async without => {
  const rules = Object.fromEntries(without.map(rule => [rule, {enabled: false}]));
  const {violations, passes} = await axe.run(document, {rules});
  return {
    passed: passes.length,
    violations: violations.map(
      ({id, nodes}) => `${id}: ${nodes.map(({target}) => target.join(" ")).join(", ")}`
    ),
  };
}
"""
ADMIN = ["label-title-only", "empty-table-header"]
"""The search field named by a magnifying glass; inlines' empty header cells."""

SWAGGER = ["color-contrast", "heading-order", "nested-interactive", "region"]
PUBLIC = ["/", "/wall/{tag}/", "/wall/nobody_yet/", "/nothing/", "/wall/a%20b/"]
ROOMS = [
    "",
    "media_archive/mediaitem/",
    "media_archive/mediaitem/{item}/change/",
    "media_archive/journalentry/",
    "subscriptions/subscription/",
    "subscriptions/subscription/1/change/",
    "subscriptions/subscription/add/",
    "subscriptions/provideraccount/",
    "subscriptions/provideraccount/1/change/",
    "subscriptions/backfill/",
    "subscriptions/backfill/add/",
    "subscriptions/receipt/",
    "facades/apiclient/add/",
]


SCREEN, PHONE, DARK = (1920, 1080, "light"), (390, 844, "light"), (1440, 900, "dark")
EMBEDDED = pytest.mark.parametrize("instance", ["embedded"], indirect=True)


def readers(*them: tuple[int, int, str]) -> pytest.MarkDecorator:
    """Run a test for each of these screens."""
    names = [f"{width}-{scheme}" for width, _, scheme in them]
    return pytest.mark.parametrize("reader", them, indirect=True, ids=names)


@pytest.fixture
def reader(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page into which a script of the test's own may be put."""
    width, height, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        bypass_csp=True,
    )
    yield context.new_page()
    context.close()


def judged(page: Page, without: list[str]) -> dict[str, Any]:
    """What axe finds on the page as it is now, some rules left out."""
    page.add_script_tag(content=AXE)
    found: dict[str, Any] = page.evaluate(RUN, without)
    assert found["passed"] > 5
    return found


def a_post(instance: Running, tag: str) -> str:
    """The id of an archived post; one is published where there is none."""
    if not instance.media(tag):
        instance.publish(tag)
    posts = instance.until(lambda: instance.media(tag), 30)
    return str(next(iter(posts.values()))["id"])


def base_of(instance: Running) -> str:
    return instance.demo["home"].rstrip("/")


@EMBEDDED
@readers(SCREEN, PHONE)
def test_public_pages(instance: Running, reader: Page) -> None:
    tag = instance.demo["wall"].rstrip("/").rsplit("/", 1)[-1]
    a_post(instance, tag)
    found = {}
    for path in PUBLIC:
        reader.goto(base_of(instance) + path.format(tag=tag))
        reader.wait_for_timeout(800)
        found[path] = judged(reader, [])["violations"]
    reader.goto(base_of(instance) + "/")
    reader.locator("#tag").fill("a b")
    reader.locator("#tag").press("Enter")
    reader.locator("#tag-error").wait_for()
    found["refused"] = judged(reader, [])["violations"]
    reader.goto(instance.demo["docs"])
    reader.locator(".opblock").first.wait_for()
    found["docs"] = judged(reader, SWAGGER)["violations"]
    assert {path: said for path, said in found.items() if said} == {}


@EMBEDDED
@readers(SCREEN, PHONE, DARK)
def test_the_admin(instance: Running, reader: Page) -> None:
    tag = instance.demo["wall"].rstrip("/").rsplit("/", 1)[-1]
    item = a_post(instance, tag)
    admin, found = instance.demo["admin"], {}
    reader.goto(admin)
    found["login"] = judged(reader, ADMIN)["violations"]
    reader.get_by_label("Username").fill(instance.demo["admin_user"])
    reader.get_by_label("Password").fill(instance.demo["admin_password"])
    reader.get_by_label("Password").press("Enter")
    reader.locator("#user-tools").wait_for()
    for room in ROOMS:
        response = reader.goto(admin + room.format(item=item))
        assert response is not None
        assert response.ok, room
        found[room] = judged(reader, ADMIN)["violations"]
    assert {room: said for room, said in found.items() if said} == {}


@EMBEDDED
@readers(SCREEN)
def test_what_is_wrong_would_be_found(instance: Running, reader: Page) -> None:
    reader.goto(base_of(instance) + "/")
    reader.evaluate("document.querySelector('label').remove()")
    reader.evaluate("document.querySelector('#tag').removeAttribute('placeholder')")
    assert any(said.startswith("label") for said in judged(reader, [])["violations"])
