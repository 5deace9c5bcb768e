"""JSONP: a script that holds nothing but one call."""

from __future__ import annotations

import pytest
from django.test import Client

from photowall.facades.models import ApiClient
from tests.builders import an_item

TARGET = "/v1/tags/fox/media/recent?client_id=CLIENT-ID"


@pytest.mark.parametrize(
    "name",
    ["a;b", "a b", "<script>", "a(", "x" * 129, "a\u2028b", "é", "a\n", "a/**/b"],
)
def test_a_name_that_is_none_is_refused_as_json(
    client: Client, program: ApiClient, name: str
) -> None:
    answer = client.get(TARGET, {"client_id": "CLIENT-ID", "callback": f"{name}z"})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json()["meta"]["error_type"] == "APIInvalidParametersError"


@pytest.mark.parametrize("name", ["f", "jQuery1110_1", "$.a.b[0]", "instafeedCache1"])
def test_the_answer_is_one_call(client: Client, program: ApiClient, name: str) -> None:
    answer = client.get(TARGET, {"client_id": "CLIENT-ID", "callback": name})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/javascript; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content.startswith(f"/**/{name}({{".encode())
    assert answer.content.endswith(b"});")


def test_nothing_of_a_caption_can_leave_the_string(
    client: Client, program: ApiClient
) -> None:
    an_item("1", caption="</script><!-- \u2028\u2029 & \" ' \\", tags=["fox"])
    script = client.get(f"{TARGET}&callback=f").content
    assert script.isascii()
    for sign in (b"<", b">", b"&", b"\n"):
        assert sign not in script
    assert b"\\u003c/script\\u003e\\u003c!-- \\u2028\\u2029 \\u0026" in script


def test_an_error_is_a_script_under_200(client: Client, program: ApiClient) -> None:
    answer = client.get("/v1/media/1?client_id=CLIENT-ID&callback=f")
    assert answer.status_code == 200
    assert answer.content.startswith(b'/**/f({"meta": {"error_type": "APINotFound')


def test_only_reading_can_be_a_script(client: Client, program: ApiClient) -> None:
    answer = client.post("/v1/subscriptions?callback=f", {"client_id": "CLIENT-ID"})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json; charset=utf-8"


def test_the_next_page_is_a_script_too(client: Client, program: ApiClient) -> None:
    for number in range(1, 4):
        an_item(str(number), tags=["fox"])
    script = client.get(f"{TARGET}&count=2&callback=f").content.decode()
    assert "callback=f" in script.split("next_url")[1].split('"')[2]
