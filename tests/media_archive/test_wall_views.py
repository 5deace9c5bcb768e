"""The wall's page, its snapshot and its QR code, asked over HTTP."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from django.test import Client

from media_archive import moderation
from tests.builders import a_post, some_posts

pytestmark = pytest.mark.django_db(transaction=True)


def page(client: Client, tag: str, query: str = "") -> str:
    answer = client.get(f"/wall/{quote(tag)}/{query}")
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


@pytest.mark.parametrize(
    "tag", ["☃", "😀😀", "x" * 101, "../../etc", "a b", "a/b", "%00", "<script>", "##"]
)
def test_what_is_no_hashtag_gets_a_sentence(client: Client, tag: str) -> None:
    answer = client.get(f"/wall/{quote(tag, safe='')}/")
    assert answer.status_code == 404
    text = answer.content.decode()
    assert "hashtag" in text
    assert "<script>alert" not in text
    assert "Traceback" not in text
    for name in ("snapshot.json", "qr.svg"):
        refused = client.get(f"/wall/{quote(tag, safe='')}/{name}", follow=True)
        assert refused.status_code == 404


@pytest.mark.parametrize(
    ("tag", "normal"),
    [("##x", "x"), (" #Fête ", "fête"), ("NoFilter", "nofilter"), ("日本語", None)],
)
def test_every_form_of_a_tag_leads_to_one_address(
    client: Client, tag: str, normal: str | None
) -> None:
    answer = client.get(f"/wall/{quote(tag)}/?layout=mosaic")
    if normal is None:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 302
        assert answer["Location"] == f"/wall/{quote(normal)}/?layout=mosaic"


def test_only_reading(client: Client) -> None:
    for name in ("", "snapshot.json", "qr.svg"):
        assert client.post(f"/wall/x/{name}").status_code == 405
        assert client.get(f"/wall/x/{name}").status_code == 200


def test_the_page_carries_the_snapshot(client: Client) -> None:
    items = some_posts(3, caption="</script><script>alert(1)</script>")
    text = page(client, "nofilter")
    found = re.search(r'<script id="snapshot"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert found is not None
    shown = json.loads(found[1])
    assert [p["id"] for p in shown["posts"]] == [str(i.pk) for i in reversed(items)]
    assert shown["cursor"] == 3
    assert "<script>alert(1)" not in text


def test_a_tag_nobody_knows_has_a_wall_that_says_so(client: Client) -> None:
    assert client.get("/wall/unheard/").context["known"] is False
    a_post(tags=["unheard"])
    assert client.get("/wall/unheard/").context["known"] is True


def test_the_page_runs_no_foreign_script_and_is_not_kept(client: Client) -> None:
    answer = client.get("/wall/nofilter/")
    policy = answer["Content-Security-Policy"]
    assert "require-trusted-types-for 'script'" in policy
    assert "script-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert "no-cache" in answer["Cache-Control"]


def test_the_snapshot_is_never_kept(client: Client) -> None:
    item = a_post()
    answer = client.get("/wall/NoFilter/snapshot.json")
    assert "no-store" in answer["Cache-Control"]
    shown = answer.json()
    assert set(shown) == {"cursor", "tag", "count", "people", "notice", "posts"}
    assert shown["notice"] is None
    assert shown["tag"] == "nofilter"
    assert [p["id"] for p in shown["posts"]] == [str(item.pk)]
    moderation.hide([item.pk], actor="ada")
    after = client.get("/wall/nofilter/snapshot.json").json()
    assert after["posts"] == []
    assert after["cursor"] == 2


def test_the_code_is_dark_on_white_and_may_be_kept(client: Client) -> None:
    answer = client.get("/wall/日本語/qr.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert b'fill="#fff"' in answer.content
    assert "max-age" in answer["Cache-Control"]
    again = client.get("/wall/日本語/qr.svg", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    other = client.get("/wall/x/qr.svg", headers={"If-None-Match": answer["ETag"]})
    assert other.status_code == 200
