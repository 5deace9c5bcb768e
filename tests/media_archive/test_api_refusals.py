"""What the API refuses, and how it says so: one shape at every door."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from media_archive.api.authentication import ApiTokenAuthentication
from media_archive.api.errors import exception_handler
from media_archive.errors import InvalidTag, OutgoingTimeout
from media_archive.models import ApiToken
from tests.builders import an_item, some_items

pytestmark = pytest.mark.django_db
MEDIA = "/api/v1/media/"


def refusal(response: Any, status: int, code: str) -> dict[str, Any]:
    """The error of ``response``, which has the one shape and nothing besides."""
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/json")
    document = response.json()
    assert set(document) == {"error"}
    error: dict[str, Any] = document["error"]
    assert error["code"] == code
    assert set(error) <= {"code", "message", "fields"}
    assert isinstance(error["message"], str)
    assert error["message"]
    if "fields" in error:
        assert all(
            isinstance(text, str)
            for texts in error["fields"].values()
            for text in texts
        )
    return error


DOORS = [MEDIA, f"{MEDIA}1/"]


@pytest.mark.parametrize("door", DOORS)
def test_a_stranger_is_401(stranger: APIClient, door: str) -> None:
    response = stranger.get(door)
    refusal(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Token")


@pytest.mark.parametrize("door", [*DOORS, "/api/v1/nothing/", "/api/"])
def test_too_many_parameters_are_refused_in_the_one_shape(
    api: APIClient, caplog: pytest.LogCaptureFixture, door: str
) -> None:
    many = "&".join(f"p{number}=1" for number in range(1_001))
    error = refusal(api.get(f"{door}?{many}"), 400, "invalid")
    assert error["message"] == "The request has more than 1,000 parameters."
    lines = [line for line in caplog.records if line.exc_info]
    assert lines == []
    assert any("TooManyFieldsSent" in line.name for line in caplog.records)


def test_too_many_parameters_of_a_page_are_refused_with_a_page(api: APIClient) -> None:
    many = "&".join(f"p{number}=1" for number in range(1_001))
    answer = api.get(f"/admin/login/?{many}")
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (
        400,
        "text/html",
    )


@pytest.mark.parametrize("door", DOORS)
def test_somebody_without_the_permission_is_403(
    stranger: APIClient, vera: User, door: str
) -> None:
    stranger.force_login(vera)
    refusal(stranger.get(door), 403, "permission_denied")


def test_a_session_with_the_permission_reads(stranger: APIClient, anton: User) -> None:
    stranger.force_login(anton)
    assert stranger.get(MEDIA).status_code == 200


def test_a_superuser_reads(stranger: APIClient, ada: User) -> None:
    stranger.force_login(ada)
    assert stranger.get(MEDIA).status_code == 200


def test_a_public_archive_is_read_by_strangers_and_written_by_nobody(
    stranger: APIClient, settings: Any
) -> None:
    settings.PHOTOWALL_PUBLIC_ARCHIVE = True
    assert stranger.get(MEDIA).status_code == 200
    refusal(stranger.post(MEDIA, {}, format="json"), 405, "method_not_allowed")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("door", [*DOORS, "/api/v1/", "/api/v1/docs/"])
def test_a_method_that_a_door_does_not_have_is_405(
    api: APIClient, method: str, door: str
) -> None:
    response = getattr(api, method)(door, {}, format="json")
    refusal(response, 405, "method_not_allowed")


@pytest.mark.parametrize(
    "address",
    [
        f"{MEDIA}999999/",
        f"{MEDIA}{2**63}/",
        f"{MEDIA}{'9' * 5000}/",
        f"{MEDIA}abc/",
        f"{MEDIA}%00/",
        f"{MEDIA}-1/",
        f"{MEDIA}%ED%A0%80/",
        "/api/v1/nothing/here/",
        "/api/v2/",
        "/api/",
    ],
)
def test_what_is_not_there_is_404(api: APIClient, address: str) -> None:
    refusal(api.get(address), 404, "not_found")


BAD = {
    "tag": [
        "",
        " ",
        "#",
        "a b",
        "🎉",
        "x" * 101,
        "../../etc",
        "\x00",
        "a\x00b",
        "💥" * 900,
    ],
    "author": ["", "\x00", "a" * 256],
    "provider": ["", "\x00", "p" * 33],
    "kind": ["", "painting", "IMAGE", "\x00"],
    "posted_after": ["", "yesterday", "2026-13-01", "1" * 400, "\x00", "12"],
    "posted_before": ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
    "archived_after": ["99999-01-01", "2026-11-20T25:00:00Z", "-1"],
    "archived_before": ["NaN", "2026-11-20T10:00:00 99:99", "T 12", "\ufffd"],
    "page_size": ["", "0", "-1", "101", "1e1", "٣", "9" * 5000, "\x00", "ten"],
    "cursor": [
        "",
        "x",
        "\x00",
        "é",
        "W10",
        "WzAsMSwyXQ",
        "WzAsICIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgMV0",
        "WzAsbnVsbCxudWxsXQ",
        "bnVsbA",
        "W" * 10_000,
        "WzAsIjIwMjYtMTEtMjBUMDA6MDA6MDArMDA6MDAiLDk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OV0",
    ],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD.items() for value in values],
)
def test_a_value_that_does_not_fit_is_400_and_names_the_parameter(
    api: APIClient, name: str, value: str
) -> None:
    error = refusal(api.get(MEDIA, {name: value}), 400, "invalid")
    assert list(error["fields"]) == [name]


@pytest.mark.parametrize(
    "query",
    ["tag=%ED%A0%80", "tag=%FF%FE", "cursor=%00%FF", "author=%ED%BF%BF", "%00=%00"],
)
def test_bytes_that_are_no_text_are_no_bug(api: APIClient, query: str) -> None:
    assert api.get(f"{MEDIA}?{query}").status_code in {200, 400}


def test_the_sentence_about_a_bad_tag_is_for_people(api: APIClient) -> None:
    error = refusal(api.get(MEDIA, {"tag": "🎉"}), 400, "invalid")
    assert "letters, digits and _ only" in error["message"]


def test_an_unknown_parameter_is_named_with_the_nearest_known_one(
    api: APIClient,
) -> None:
    error = refusal(api.get(MEDIA, {"tagg": "x"}), 400, "invalid")
    assert "“tag”" in error["fields"]["tagg"][0]
    error = refusal(api.get(MEDIA, {"caption__regex": ".*"}), 400, "invalid")
    assert "posted_after" in error["fields"]["caption__regex"][0]
    item = an_item()
    error = refusal(api.get(f"{MEDIA}{item.pk}/", {"tag": "x"}), 400, "invalid")
    assert "tag" in error["fields"]


def test_a_parameter_given_twice_is_refused(api: APIClient) -> None:
    error = refusal(api.get(f"{MEDIA}?tag=a&tag=b"), 400, "invalid")
    assert list(error["fields"]) == ["tag"]


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token ",
        "Token wrong",
        "Token a b",
        "Token " + "x" * 5000,
        "Token \x00",
        "token é",
    ],
)
def test_a_token_that_is_not_one_is_401(
    stranger: APIClient, anton_token: str, header: str
) -> None:
    response = stranger.get(MEDIA, HTTP_AUTHORIZATION=header)
    refusal(response, 401, "not_authenticated")


def test_an_expired_token_is_refused_and_one_that_runs_is_not(
    api: APIClient, anton: User
) -> None:
    row = ApiToken.objects.get(user=anton)
    row.expires_at = timezone.now() + timedelta(minutes=1)
    row.save()
    assert api.get(MEDIA).status_code == 200
    row.expires_at = timezone.now()
    row.save()
    refusal(api.get(MEDIA), 401, "not_authenticated")


def test_the_token_of_somebody_who_left_is_refused(api: APIClient, anton: User) -> None:
    assert api.get(MEDIA).status_code == 200
    anton.is_active = False
    anton.save()
    refusal(api.get(MEDIA), 401, "not_authenticated")


def test_the_use_of_a_token_is_noted_once_a_minute(api: APIClient, anton: User) -> None:
    def last_used() -> Any:
        return ApiToken.objects.get(user=anton).last_used_at

    assert last_used() is None
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False) as clock:
        api.get(MEDIA)
        first = last_used()
        assert first == timezone.now()
        clock.shift(59)
        api.get(MEDIA)
        assert last_used() == first
        clock.shift(1)
        api.get(MEDIA)
        assert last_used() == timezone.now()


def test_the_database_holds_no_token(anton: User, anton_token: str) -> None:
    row = ApiToken.objects.get(user=anton)
    assert anton_token not in str(vars(row))
    assert len(row.digest) == 64


def test_many_wrong_tokens_are_429_until_the_minute_is_over(
    stranger: APIClient, api: APIClient
) -> None:
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False) as clock:
        for _ in range(60):
            answer = stranger.get(MEDIA, HTTP_AUTHORIZATION="Token wrong")
            assert answer.status_code == 401
        response = stranger.get(MEDIA, HTTP_AUTHORIZATION="Token wrong")
        refusal(response, 429, "throttled")
        assert 1 <= int(response["Retry-After"]) <= 60
        # Guessing on would otherwise still tell right from wrong.
        assert api.get(MEDIA).status_code == 429
        assert api.get(MEDIA, REMOTE_ADDR="10.1.2.3").status_code == 200
        clock.shift(61)
        assert api.get(MEDIA).status_code == 200


def test_a_forwarded_address_is_not_believed(stranger: APIClient) -> None:
    for number in range(61):
        answer = stranger.get(
            MEDIA,
            HTTP_AUTHORIZATION="Token wrong",
            HTTP_X_FORWARDED_FOR=f"10.0.0.{number}",
        )
    assert answer.status_code == 429


def test_strangers_in_a_public_archive_are_throttled_in_our_shape(
    stranger: APIClient, settings: Any
) -> None:
    settings.PHOTOWALL_PUBLIC_ARCHIVE = True
    for _ in range(120):
        assert stranger.get(f"{MEDIA}?page_size=1").status_code == 200
    refusal(stranger.get(MEDIA), 429, "throttled")


def test_a_right_token_is_not_slowed_down_by_its_own_use(api: APIClient) -> None:
    assert {api.get(f"{MEDIA}?page_size=1").status_code for _ in range(125)} == {200}


def handled(error: Exception) -> Response | None:
    return exception_handler(error, {})


def test_a_database_that_is_away_is_503_with_a_time_to_come_back() -> None:
    answer = handled(OperationalError("could not connect to 10.0.0.5"))
    assert answer is not None
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "10.0.0.5" not in str(answer.data)


def test_our_own_errors_keep_their_code() -> None:
    bad = handled(InvalidTag("No."))
    late = handled(OutgoingTimeout("Later.", retry_after=7))
    assert bad is not None
    assert late is not None
    assert (bad.status_code, bad.data["error"]["code"]) == (400, "invalid_tag")
    assert (late.status_code, late["Retry-After"]) == (503, "7")


def test_a_bug_is_not_dressed_up_as_a_refusal() -> None:
    assert handled(ZeroDivisionError()) is None


def test_a_body_of_ten_thousand_brackets_is_400() -> None:
    wire = RequestFactory().post(
        "/", data=b"[" * 100_000, content_type="application/json"
    )
    request = Request(wire, parsers=[JSONParser()])
    with pytest.raises(Exception) as caught:  # noqa: PT011  which one is the question
        _ = request.data
    answer = handled(caught.value)
    assert answer is not None
    assert answer.status_code == 400


def test_another_scheme_is_not_ours_to_judge() -> None:
    wire = RequestFactory().get("/", HTTP_AUTHORIZATION="Basic eDp5")
    assert ApiTokenAuthentication().authenticate(Request(wire)) is None


def test_the_root_names_the_doors(stranger: APIClient) -> None:
    doors = stranger.get("/api/v1/").json()
    assert doors["media"] == "http://testserver/api/v1/media/"
    assert doors["docs"] == "http://testserver/api/v1/docs/"


def test_a_page_of_everything_still_works_beside_all_these_refusals(
    answer_of: Any,
) -> None:
    some_items(2)
    assert len(answer_of()["results"]) == 2


def test_another_format_is_refused_by_the_name_of_its_parameter(
    api: APIClient,
) -> None:
    error = refusal(api.get(f"{MEDIA}?format=xml"), 400, "invalid")
    assert list(error["fields"]) == ["format"]
    assert api.get(f"{MEDIA}?format=json").status_code == 200
    refusal(api.get(f"{MEDIA}999999/?format=json"), 404, "not_found")


@pytest.mark.parametrize("name", ["ordering", "limit"])
def test_only_a_near_name_is_suggested(api: APIClient, name: str) -> None:
    error = refusal(api.get(f"{MEDIA}?{name}=x"), 400, "invalid")
    assert "Did you mean" not in error["message"]
    near = refusal(api.get(f"{MEDIA}?posted_afer=x"), 400, "invalid")
    assert "Did you mean “posted_after”?" in near["message"]


def test_an_author_is_found_in_any_case(api: APIClient) -> None:
    item = an_item()
    assert item.author is not None
    assert item.author.username is not None
    for name in (item.author.username, f"@{item.author.username.upper()}"):
        assert len(api.get(MEDIA, {"author": name}).json()["results"]) == 1
    assert api.get(MEDIA, {"author": "nobody"}).json()["results"] == []
