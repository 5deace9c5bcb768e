"""The OpenAPI document and its page."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from media_archive.api.filters import MediaFilters
from media_archive.records import Kind

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema(stranger: APIClient) -> dict[str, Any]:
    response = stranger.get("/api/v1/schema/", HTTP_ACCEPT="application/json")
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    return document


def test_it_is_a_valid_openapi_3_1_document(schema: dict[str, Any]) -> None:
    assert schema["openapi"] == "3.1.0"
    validate_schema(schema)


def test_it_names_every_filter_with_a_description(schema: dict[str, Any]) -> None:
    operation = schema["paths"]["/api/v1/media/"]["get"]
    described = {p["name"]: p.get("description") for p in operation["parameters"]}
    assert set(described) == {*MediaFilters().fields, "cursor", "page_size"}
    assert all(described.values())


def test_it_tells_the_answer_and_the_refusals(schema: dict[str, Any]) -> None:
    operation = schema["paths"]["/api/v1/media/"]["get"]
    assert set(operation["responses"]) >= {"200", "400", "401", "403"}
    item = schema["components"]["schemas"]["MediaItem"]["properties"]
    assert "raw" not in item
    kinds = schema["components"]["schemas"]["KindEnum"]["enum"]
    assert set(kinds) == {kind.value for kind in Kind}
    detail = schema["components"]["schemas"]["MediaItemDetail"]["properties"]
    assert set(detail) == {*item, "raw"}


def test_it_says_how_to_show_a_token(schema: dict[str, Any]) -> None:
    token = schema["components"]["securitySchemes"]["token"]
    assert (token["in"], token["name"]) == ("header", "Authorization")


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(
    stranger: APIClient,
) -> None:
    page = stranger.get("/api/v1/docs/").content.decode()
    assert "<style" not in page
    assert 'style="' not in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<script src=") == page.count("<script")
    script = stranger.get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    text = script.content.decode()
    assert '"validatorUrl": null' in text
    assert "/schema/" in text
