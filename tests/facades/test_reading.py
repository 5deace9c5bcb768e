"""Tags and media in the dialect: refusals first, then what the archive holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from media_archive import moderation
from media_archive.models import Author, MediaAsset, MediaItem
from media_archive.records import AssetSource, IncomingAsset, IncomingPlace, Kind
from photowall.facades.models import ApiClient
from tests.builders import (
    a_kept_file,
    a_post,
    a_record,
    a_source,
    an_asset,
    an_item,
    some_items,
    store,
)

Ask = Callable[..., Any]


def error_of(response: Any) -> tuple[int, str, str]:
    """Status, type and message; the status must stand in the body as well."""
    said = response.json()["meta"]
    assert response.status_code == said["code"]
    assert response["Content-Type"] == "application/json; charset=utf-8"
    return said["code"], said["error_type"], said["error_message"]


@pytest.mark.django_db
def test_who_names_no_client_is_refused_in_the_recorded_words(client: Client) -> None:
    assert error_of(client.get("/v1/tags/fox")) == (
        400,
        "OAuthParameterException",
        "Missing client_id or access_token URL parameter.",
    )


@pytest.mark.django_db
@pytest.mark.parametrize("client_id", ["nobody", "x" * 500, "\x00", "%ff%fe", "ü"])
def test_an_unknown_client_is_refused(client: Client, client_id: str) -> None:
    answer = client.get("/v1/tags/fox", {"client_id": client_id})
    status, kind, message = error_of(answer)
    assert (status, kind) == (400, "OAuthParameterException")
    assert "client_id" in message


def test_a_disabled_client_is_refused(client: Client, program: ApiClient) -> None:
    target = "/v1/tags/fox?client_id=CLIENT-ID"
    assert client.get(target).status_code == 200
    ApiClient.objects.update(enabled=False)
    assert error_of(client.get(target))[1] == "OAuthParameterException"


def test_a_token_wins_over_a_client_id(client: Client, program: ApiClient) -> None:
    answer = client.get("/v1/tags/fox?client_id=CLIENT-ID&access_token=1.2.3")
    assert error_of(answer)[1] == "OAuthAccessTokenException"


def test_a_signed_in_browser_is_nobody_here(client: Client, ada: Any) -> None:
    client.force_login(ada)
    assert error_of(client.get("/v1/tags/fox"))[1] == "OAuthParameterException"


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/v1/tags/..%2F..%2Fetc", "APINotFoundError"),
        ("/v1/tags/%00", "APIInvalidParametersError"),
        ("/v1/tags/%F0%9F%A6%8A", "APIInvalidParametersError"),
        ("/v1/tags/" + "x" * 200, "APIInvalidParametersError"),
        ("/v1/tags/a%20b/media/recent", "APIInvalidParametersError"),
        ("/v1/tags/search", "APIInvalidParametersError"),
        ("/v1/tags/fox/media/recent?count=0", "APIInvalidParametersError"),
        ("/v1/tags/fox/media/recent?count=-3", "APIInvalidParametersError"),
        ("/v1/tags/fox/media/recent?count=many", "APIInvalidParametersError"),
        ("/v1/tags/fox/media/recent?min_tag_id=AQB", "APIInvalidParametersError"),
        ("/v1/tags/fox/media/recent?max_tag_id=-1", "APIInvalidParametersError"),
        ("/v1/tags/fox?callback=alert(1)", "APIInvalidParametersError"),
        ("/v1/media/1_2", "APINotFoundError"),
        ("/v1/media/%00", "APINotFoundError"),
        ("/v1/media/" + "9" * 5000, "APINotFoundError"),
        ("/v1/media/shortcode/%00", "APINotFoundError"),
        ("/v1/media/shortcode/" + "z" * 41, "APINotFoundError"),
        ("/v1/media/search?lat=1&lng=2", "APINotFoundError"),
        ("/v1/media/popular", "APINotFoundError"),
        ("/v1/users/self", "APINotFoundError"),
        ("/v1/", "APINotFoundError"),
        ("/v1/nowhere/at/all.json", "APINotFoundError"),
        ("/v1/tags/fox?" + "a=1&" * 5000, "APIInvalidParametersError"),
    ],
)
def test_what_makes_no_sense_is_an_error_of_the_dialect(
    client: Client, program: ApiClient, target: str, kind: str
) -> None:
    target += f"{'&' if '?' in target else '?'}client_id=CLIENT-ID"
    status, said, message = error_of(client.get(target))
    assert 400 <= status < 500
    assert said == kind
    assert message


def test_the_recorded_words_for_count_and_media(
    client: Client, program: ApiClient
) -> None:
    who = {"client_id": "CLIENT-ID"}
    recent = client.get("/v1/tags/fox/media/recent", {**who, "count": "0"})
    assert error_of(recent)[2] == "count must be larger than zero"
    assert error_of(client.get("/v1/media/1", who))[2] == "invalid media id"


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "options"])
def test_a_wrong_method_is_an_error_of_the_dialect(
    client: Client, program: ApiClient, method: str
) -> None:
    answer = getattr(client, method)("/v1/tags/fox?client_id=CLIENT-ID")
    assert error_of(answer)[0] == 405
    assert answer["Allow"] == "GET"


@pytest.mark.parametrize("ending", ["", "/", ".json", ".json/"])
def test_each_address_answers_with_every_ending(
    ask: Ask, program: ApiClient, ending: str
) -> None:
    item = an_item("733194846952938437", tags=["fox"])
    assert ask(f"/v1/tags/fox{ending}")["data"] == {"media_count": 1, "name": "fox"}
    assert len(ask(f"/v1/tags/fox/media/recent{ending}")["data"]) == 1
    assert ask(f"/v1/tags/search{ending}", q="fo")["data"][0]["name"] == "fox"
    for path in (f"media/{item.native_id}_7", "media/shortcode/os1NQjxtvF"):
        said = ask(f"/v1/{path}{ending}")["data"]
        assert said["id"] == "733194846952938437_7"


def test_hidden_media_are_nowhere(ask: Ask, client: Client) -> None:
    item = an_item("3", tags=["fox"])
    media = "/v1/media/3?client_id=CLIENT-ID"
    assert client.get(media).status_code == 200
    moderation.hide([item.pk], actor="ada")
    assert error_of(client.get(media))[1] == "APINotFoundError"
    code = client.get("/v1/media/shortcode/D?client_id=CLIENT-ID")
    assert error_of(code)[1] == "APINotFoundError"
    assert ask("/v1/tags/fox")["data"]["media_count"] == 0
    assert ask("/v1/tags/fox/media/recent")["data"] == []
    assert ask("/v1/tags/search", q="fox")["data"] == []


def test_an_unknown_tag_has_nothing_and_is_no_error(ask: Ask) -> None:
    assert ask("/v1/tags/Never")["data"] == {"media_count": 0, "name": "never"}
    answer = ask("/v1/tags/never/media/recent")
    assert answer["data"] == []
    assert list(answer["pagination"]) == ["deprecation_warning"]


def test_tags_are_found_by_how_they_begin(ask: Ask) -> None:
    some_items(2, tags=["foxes"])
    some_items(1, tags=["fox", "Fête", "off"])
    assert ask("/v1/tags/search", q="#FOX")["data"] == [
        {"media_count": 1, "name": "fox"},
        {"media_count": 2, "name": "foxes"},
    ]
    assert ask("/v1/tags/search", q="fê")["data"][0]["name"] == "fête"


def test_a_count_is_at_most_33_and_20_if_not_said(ask: Ask) -> None:
    some_items(40, tags=["fox"])
    path = "/v1/tags/fox/media/recent"
    assert len(ask(path)["data"]) == 20
    assert len(ask(path, count="")["data"]) == 20
    assert len(ask(path, count="3")["data"]) == 3
    for many in ("34", "9" * 30, "9" * 5000):
        assert len(ask(path, count=many)["data"]) == 33


def test_every_answer_tells_the_budget(client: Client, program: ApiClient) -> None:
    first = client.get("/v1/tags/fox?client_id=CLIENT-ID")
    second = client.get("/v1/tags/fox?client_id=CLIENT-ID&count=0")
    assert first["X-Ratelimit-Limit"] == second["X-Ratelimit-Limit"] == "5000"
    assert first["X-Ratelimit-Remaining"] == "4999"
    assert second["X-Ratelimit-Remaining"] == "4998"
    assert client.get("/v1/nowhere")["X-Ratelimit-Remaining"] == "4999"


def test_beyond_the_budget_is_429_for_this_client_only(
    client: Client, program: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photowall.facades.instagram_v1.budget.HOURLY.amount", 2)
    other = ApiClient.objects.create(name="another")
    target = f"/v1/tags/fox?client_id={program.client_id}"
    answers = [client.get(target) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json() == {
        "code": 429,
        "error_type": "OAuthRateLimitException",
        "error_message": "The maximum number of requests per hour has been exceeded.",
    }
    assert answers[2]["X-Ratelimit-Remaining"] == "0"
    script = client.get(f"{target}&callback=f")
    assert script.status_code == 200
    assert b'"meta"' in script.content
    assert client.get(f"/v1/tags/fox?client_id={other.client_id}").status_code == 200


@pytest.mark.django_db
def test_the_facade_is_readable_by_other_sites_pages(client: Client) -> None:
    answer = client.get("/v1/tags/fox?callback=f")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Cross-Origin-Resource-Policy" not in answer


def test_a_record_comes_out_as_it_went_in(ask: Ask) -> None:
    """Published, answered by the facade, read by our provider: the same post."""
    from subscriptions.providers.instagram_v1.wire.media import parse_media

    place = IncomingPlace("2593354", "Rua Augusta", 38.71, -9.137)
    records = [
        a_record("101", tags=["fox", "日本語"], likes=3, comments=0, place=place),
        a_record("102", tags=["fox"], caption=None, likes=0, comments=0),
        a_record("103", tags=["fox"], caption="🦊 שלום\n" * 50, likes=1, comments=2),
        a_record(
            "104",
            kind=Kind.ALBUM,
            assets=[an_asset(), an_asset()],
            tags=[],
            likes=0,
            comments=0,
            posted_at=datetime(2014, 6, 1, tzinfo=UTC),
        ),
    ]
    store(records, listed_under="fox")
    answer = ask("/v1/tags/fox/media/recent")["data"]
    read = {
        record.native_id: record for each in answer if (record := parse_media(each))
    }
    assert len(read) == len(records)
    for record in records:
        back = read[record.native_id]
        for name in (
            "kind",
            "author",
            "caption",
            "permalink",
            "posted_at",
            "place",
            "likes",
            "comments",
        ):
            assert getattr(back, name) == getattr(record, name), name
        assert list(back.tags) == list(record.tags)
        assert len(back.assets) == len(record.assets)
        sizes = {source.name: source for source in back.assets[0].sources}
        assert sizes["standard_resolution"] == a_source()
        assert sizes["thumbnail"] == a_source("thumbnail", 150)


def test_what_is_kept_has_our_own_addresses_and_is_jpeg(
    ask: Ask, settings: Any
) -> None:
    settings.PHOTOWALL_BASE_URL = "https://wall.example"
    item = a_post("55", tags=["fox"])
    MediaAsset.objects.update(picture=a_kept_file("wide", 2000, 1000))
    kept = {
        made.spec: f"https://wall.example/media/{made.name}"
        for made in a_kept_file("wide", 2000, 1000).renditions.all()
    }
    said = ask("/v1/media/55")["data"]
    size = {"url": kept["w480.jpeg.1"], "width": 480, "height": 240}
    assert said["images"] == {
        "thumbnail": size,
        "low_resolution": size,
        "standard_resolution": size,
    }
    portrait = a_kept_file("portrait", 150, 150).renditions.get(spec="s192.jpeg.1")
    url = f"https://wall.example/media/{portrait.name}"
    assert said["user"]["profile_picture"] == url
    # While it is not kept, the provider's word is all there is.
    item.assets.update(picture=None)
    Author.objects.update(avatar=None)
    said = ask("/v1/media/55")["data"]
    assert said["images"]["standard_resolution"]["url"] == a_source().url
    assert said["user"]["profile_picture"] == "https://pictures.example/ana.jpg"


def test_a_kept_film_has_our_own_address(ask: Ask, settings: Any) -> None:
    settings.PHOTOWALL_BASE_URL = "https://wall.example"
    film = AssetSource("high", "https://v.example/high.mp4", Kind.VIDEO, 720, 1280)
    asset = IncomingAsset(Kind.VIDEO, [a_source(), film])
    item = an_item("56", kind=Kind.VIDEO, assets=[asset])
    said = ask("/v1/media/56")["data"]["videos"]["standard_resolution"]
    assert said["url"] == "https://v.example/high.mp4"
    kept = a_kept_file("film")
    item.assets.update(film=kept)
    said = ask("/v1/media/56")["data"]["videos"]["standard_resolution"]
    assert said == {
        "url": f"https://wall.example/media/{kept.name}",
        "width": 720,
        "height": 1280,
    }


def test_what_old_clients_must_find_is_always_there(ask: Ask) -> None:
    bare = a_record(
        "9", author=None, caption=None, permalink=None, posted_at=None, assets=[]
    )
    store([bare])
    said = ask("/v1/media/9")["data"]
    for key in ("id", "type", "user", "images", "created_time", "link", "tags"):
        assert key in said
    assert said["caption"] is None
    assert said["location"] is None
    assert said["likes"]["count"] == said["comments"]["count"] == 0
    assert said["comments"]["data"] == []


def test_a_page_costs_the_same_number_of_queries_whatever_its_size(
    ask: Ask, django_assert_max_num_queries: Any
) -> None:
    some_items(33, tags=["fox", "snow"])
    with django_assert_max_num_queries(7):
        assert len(ask("/v1/tags/fox/media/recent", count=33)["data"]) == 33


@pytest.mark.django_db
def test_a_database_that_is_away_is_503_in_the_dialect(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def away(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("photowall.facades.instagram_v1.authentication._client", away)
    answer = client.get("/v1/tags/fox?client_id=x")
    assert error_of(answer)[:2] == (503, "APIError")
    assert answer["Retry-After"] == "5"
    assert b"refused" not in answer.content


@pytest.mark.django_db
def test_secrets_are_not_logged(
    client: Client, program: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/v1/tags/a%20b?client_id=CLIENT-ID&client_secret=s3cr3t-value")
    assert answer.status_code == 400
    assert "/v1/tags/" in caplog.text
    assert "s3cr3t-value" not in caplog.text


def test_media_is_found_by_both_forms_of_its_id(ask: Ask) -> None:
    an_item("55", tags=["fox"])
    assert MediaItem.objects.count() == 1
    one, other = ask("/v1/media/55")["data"], ask("/v1/media/55_7")["data"]
    assert one == other
    assert json.dumps(one)


@pytest.mark.parametrize("path", ["/v1/tags/fox", "/v1/tags/search"])
def test_a_tag_is_not_counted_anew_for_every_request(
    client: Client, program: ApiClient, path: str
) -> None:
    some_items(2, tags=["fox"])
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(
                path, query_params={"client_id": "CLIENT-ID", "q": "fo"}
            )
        assert '"media_count": 2' in answer.content.decode()
        counts.append(sum("COUNT(" in each["sql"] for each in queries))
    assert counts == [1, 0, 0]
