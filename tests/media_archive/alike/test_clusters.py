"""Which items are near-identical shots of one author."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_archive import clusters
from media_archive.models import JournalEntry, MediaItem
from tests.builders import NOON, an_item
from tests.media_archive.alike.shots import (
    a_post,
    a_shot,
    cluster_of,
    near,
    settle,
    somebody,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]
SHOT = 0x0123_4567_89AB_CDEF
OTHER = SHOT ^ 0xFFFF_0000_FFFF_0000


def changes_told() -> list[tuple[int, Any]]:
    told = JournalEntry.objects.filter(kind="changed").order_by("seq")
    return [(entry.item_id, entry.detail.get("cluster")) for entry in told]


def test_two_authors_never_fold() -> None:
    one = a_shot(SHOT, author=somebody("ana"))
    two = a_shot(SHOT, 1, author=somebody("ben"))
    assert cluster_of(one) == one.pk
    assert cluster_of(two) == two.pk
    # The control: the same picture by the same author does.
    assert cluster_of(a_shot(SHOT, 2, author=somebody("ben"))) == two.pk


def test_the_same_id_at_another_provider_is_another_author() -> None:
    one = a_shot(SHOT)
    elsewhere = MediaItem.objects.get(pk=a_shot(SHOT, 1).pk)
    assert cluster_of(elsewhere) == one.pk
    author = one.author
    assert author is not None
    author.pk, author.provider = None, "mastodon"
    author.save()
    stranger = a_post(2)
    MediaItem.objects.filter(pk=stranger.pk).update(author=author)
    settle(stranger.pk, SHOT)
    assert cluster_of(stranger) == stranger.pk


def test_nobody_known_never_folds() -> None:
    one, two = a_shot(SHOT, author=None), a_shot(SHOT, 1, author=None)
    assert (cluster_of(one), cluster_of(two)) == (one.pk, two.pk)


def test_another_hour_does_not_fold() -> None:
    one = a_shot(SHOT)
    late = a_shot(SHOT, 3601)
    assert cluster_of(late) == late.pk
    early = a_shot(SHOT, -3601)
    assert cluster_of(early) == early.pk
    # The control: to the second, on either side.
    assert cluster_of(a_shot(SHOT, 3600)) == one.pk
    assert cluster_of(a_shot(SHOT, -1)) in (one.pk, early.pk)


def test_what_differs_in_more_bits_does_not_fold() -> None:
    one = a_shot(SHOT)
    seven = a_shot(near(SHOT, 7), 1)
    assert cluster_of(seven) == seven.pk
    assert cluster_of(a_shot(SHOT ^ (0b111111 << 50), 2)) == one.pk


def test_another_shape_is_another_picture() -> None:
    one, tall, cut = a_shot(SHOT), a_post(1), a_post(2)
    settle(tall.pk, SHOT, width=512)
    settle(cut.pk, SHOT, width=600)
    assert cluster_of(tall) == tall.pk
    assert cluster_of(cut) == one.pk


def test_a_picture_without_detail_stays_alone() -> None:
    plain = [a_shot(None, n) for n in range(3)]
    assert [cluster_of(item) for item in plain] == [item.pk for item in plain]


def test_a_picture_that_is_not_known_yet_has_no_cluster() -> None:
    a_shot(SHOT)
    assert cluster_of(a_post(1)) is None


def test_nothing_folds_when_it_is_switched_off(settings: Any) -> None:
    settings.PHOTOWALL_ALIKE_SECONDS = 0
    one, two = a_shot(SHOT), a_shot(SHOT)
    assert (cluster_of(one), cluster_of(two)) == (one.pk, two.pk)


def test_the_sign_of_a_hash_is_a_bit_like_any_other() -> None:
    assert clusters.distance(-1, 2**63 - 1) == 1
    assert clusters.distance(-(2**63), 0) == 1
    assert clusters.distance(-1, 0) == 64
    one = a_shot(SHOT)
    assert cluster_of(a_shot(SHOT | 1 << 63, 1)) == one.pk


@pytest.mark.parametrize("seed", range(4))
def test_twelve_shots_are_one_whatever_order_they_come_in(seed: int) -> None:
    """Neighbours differ in 3 bits, the ends in 33: only the chain holds them."""
    posts = [a_post(60 * n) for n in range(12)]
    order = list(enumerate(posts))
    random.Random(seed).shuffle(order)
    for number, item in order:
        settle(item.pk, SHOT ^ (2 ** (3 * number) - 1))
    found = {cluster_of(item) for item in posts}
    assert len(found) == 1
    assert found <= {item.pk for item in posts}


def test_a_bridging_shot_makes_one_of_two_and_tells_those_it_moves() -> None:
    left = [a_shot(SHOT, n) for n in range(2)]
    right = [a_shot(near(SHOT, 10), 10 + n) for n in range(3)]
    assert {cluster_of(i) for i in left} == {left[0].pk}
    assert {cluster_of(i) for i in right} == {right[0].pk}
    assert changes_told() == []
    revisions = {item.pk: item.revision for item in left}
    bridge = a_shot(near(SHOT, 5), 5)
    assert {cluster_of(i) for i in [*left, *right, bridge]} == {right[0].pk}
    assert changes_told() == [(item.pk, right[0].pk) for item in left]
    for item in left:
        item.refresh_from_db()
        assert item.revision == revisions[item.pk] + 1


def test_of_two_equally_large_the_older_number_stays() -> None:
    one, two = a_shot(SHOT), a_shot(near(SHOT, 12), 1)
    bridge = a_shot(near(SHOT, 6), 2)
    assert {cluster_of(i) for i in (one, two, bridge)} == {one.pk}


def test_very_large_clusters_are_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "LARGEST", 5)
    left = [a_shot(SHOT, n) for n in range(2)]
    right = [a_shot(near(SHOT, 10), 10 + n) for n in range(3)]
    bridge = a_shot(near(SHOT, 5), 5)
    assert {cluster_of(i) for i in left} == {left[0].pk}
    assert {cluster_of(i) for i in [*right, bridge]} == {right[0].pk}


def test_a_full_cluster_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "LARGEST", 3)
    shots = [a_shot(SHOT, n) for n in range(7)]
    numbers = [cluster_of(shot) for shot in shots]
    first, fourth, seventh = shots[0].pk, shots[3].pk, shots[6].pk
    assert numbers == [first] * 3 + [fourth] * 3 + [seventh]
    # Who is in a full one stays in it.
    settle(shots[1].pk, near(SHOT, 1))
    assert cluster_of(shots[1]) == first
    assert changes_told() == []


def test_who_leaves_moves_the_others_in_a_few_statements() -> None:
    counts = []
    for size in (3, 12):
        shots = [a_shot(SHOT, n, author=somebody(f"bot-{size}")) for n in range(size)]
        with CaptureQueriesContext(connection) as asked:
            settle(shots[0].pk, OTHER)
        counts.append(len(asked))
        assert {cluster_of(i) for i in shots[1:]} == {shots[1].pk}
        assert cluster_of(shots[0]) == shots[0].pk
        assert len(changes_told()) >= size - 1
    assert counts[0] == counts[1]


def test_settled_twice_changes_nothing() -> None:
    one, two = a_shot(SHOT), a_shot(SHOT, 1)
    settle(two.pk, SHOT)
    settle(one.pk, near(SHOT, 2))
    assert cluster_of(one) == cluster_of(two) == one.pk
    assert changes_told() == []


def test_another_picture_leaves_and_those_who_stay_are_told() -> None:
    one, two, three = (a_shot(SHOT, n) for n in range(3))
    settle(two.pk, OTHER)
    assert [cluster_of(i) for i in (one, two, three)] == [one.pk, two.pk, one.pk]
    assert changes_told() == [(one.pk, one.pk), (three.pk, one.pk)]
    settle(two.pk, SHOT)
    assert cluster_of(two) == one.pk


def test_the_first_leaves_and_the_others_get_another_number() -> None:
    one, two, three = (a_shot(SHOT, n) for n in range(3))
    settle(one.pk, OTHER)
    assert [cluster_of(i) for i in (one, two, three)] == [one.pk, two.pk, two.pk]
    assert changes_told() == [(two.pk, two.pk), (three.pk, two.pk)]


def test_only_the_first_picture_counts() -> None:
    one, two = a_shot(SHOT), a_shot(OTHER, 1)
    asset = two.assets.get()
    asset.pk, asset.position = None, 1
    asset.picture = one.assets.get().picture
    asset.save()
    settle(two.pk, OTHER)
    assert cluster_of(two) == two.pk


def test_only_so_many_neighbours_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "NEIGHBOURS", 2)
    one = a_shot(SHOT)
    for number in range(2):
        a_shot(OTHER ^ number << 28, 1 + number)
    late = a_shot(SHOT, 9)
    assert cluster_of(late) == late.pk
    assert cluster_of(a_shot(SHOT, -9)) == one.pk


def test_it_takes_few_queries_however_many_there_are() -> None:
    for number in range(30):
        a_shot(SHOT, number)
    item = an_item(posted_at=NOON)
    with CaptureQueriesContext(connection) as few:
        settle(item.pk, SHOT)
    alone = an_item(posted_at=NOON, author=somebody("ben"))
    with CaptureQueriesContext(connection) as none:
        settle(alone.pk, SHOT)
    assert abs(len(few) - len(none)) <= 1
    assert cluster_of(item) == min(i.pk for i in MediaItem.objects.all())


def test_every_order_of_four_ends_alike() -> None:
    """Two pairs and the pictures between them, in all orders."""
    hashes = [SHOT, near(SHOT, 5), near(SHOT, 10), near(SHOT, 15)]
    for turn, order in enumerate(itertools.permutations(range(4))):
        author = somebody(f"author-{turn}")
        posts = [a_post(n, author=author) for n in range(4)]
        for number in order:
            settle(posts[number].pk, hashes[number])
        assert len({cluster_of(item) for item in posts}) == 1, order
