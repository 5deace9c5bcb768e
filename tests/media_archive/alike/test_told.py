"""What the API and the admin say of near-identical shots."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from media_archive import moderation, walls
from media_archive.models import MediaItem
from tests.media_archive.alike.shots import a_post, a_shot, near

pytestmark = [pytest.mark.django_db(transaction=True)]
SHOT = 0x0123_4567_89AB_CDEF


def twelve() -> list[MediaItem]:
    return [a_shot(near(SHOT, n % 3), n) for n in range(12)]


def test_the_api_tells_the_cluster_and_lists_every_shot(answer_of: Any) -> None:
    shots, other, waiting = twelve(), a_shot(~SHOT, 60), a_post(70)
    told = {item["id"]: item["cluster_id"] for item in answer_of()["results"]}
    assert told == {s.pk: shots[0].pk for s in shots} | {
        other.pk: other.pk,
        waiting.pk: None,
    }
    listed = answer_of(cluster=shots[0].pk)["results"]
    assert {item["id"] for item in listed} == {item.pk for item in shots}
    assert answer_of(cluster=999)["results"] == []


@pytest.mark.parametrize("wrong", ["x", "0", "-1", "1.5", str(2**63)])
def test_a_cluster_is_a_number(api: Any, wrong: str) -> None:
    refused = api.get("/api/v1/media/", {"cluster": wrong})
    assert refused.status_code == 400
    assert "cluster" in refused.json()["error"]["fields"]


def test_a_snapshot_has_motifs_and_counts_posts() -> None:
    shots = twelve()
    others = [a_shot(~SHOT ^ n * 0x0F0F_0000_0F0F, 60 + n * 4000) for n in range(3)]
    told = walls.snapshot("nofilter")
    assert told["count"] == 15
    more = {post["id"]: post["cluster"]["more"] for post in told["posts"]}
    assert more == {str(shots[-1].pk): 11} | {str(o.pk): 0 for o in others}


def test_a_large_burst_does_not_push_the_others_off_the_wall() -> None:
    others = [a_shot(~SHOT ^ n * 0x0F0F_0000_0F0F, -4000 * (n + 1)) for n in range(3)]
    for number in range(20):
        a_shot(SHOT, number)
    told = walls.snapshot("nofilter", limit=4)["posts"]
    assert len(told) == 4
    assert {post["id"] for post in told[1:]} == {str(o.pk) for o in others}
    assert told[0]["cluster"]["more"] == 19


def test_the_item_page_shows_the_others(client: Client, ada: User) -> None:
    shots = twelve()
    moderation.hide([shots[3].pk], actor="ada")
    alone = a_shot(~SHOT, 60)
    client.force_login(ada)
    page = "admin:media_archive_mediaitem_change"
    text = client.get(reverse(page, args=[shots[5].pk])).content.decode()
    assert "List all 12 of them" in text
    for other in shots:
        link = f'href="{reverse(page, args=[other.pk])}"'
        assert (link in text) is (other.pk != shots[5].pk)
    assert f"?cluster={shots[0].pk}" in text
    assert len(listed(client, str(shots[0].pk))) == 12
    assert listed(client, str(alone.pk)) == [alone]
    assert listed(client, "nonsense") == []
    text = client.get(reverse(page, args=[alone.pk])).content.decode()
    assert "None: no other post" in text


def listed(client: Client, cluster: str) -> list[MediaItem]:
    """The items that the admin's list shows for a cluster."""
    address = reverse("admin:media_archive_mediaitem_changelist")
    answer = client.get(address, {"cluster": cluster})
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)
