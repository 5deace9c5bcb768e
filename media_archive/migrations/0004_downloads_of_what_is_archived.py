"""What was archived before pictures were kept gets its downloads, oldest first."""

from __future__ import annotations

from django.db import migrations

# SQL and no loop over rows: an archive may hold millions of them.
COLUMNS = (
    "role, {owner}, state, state_since, reason, detail, attempts, lost_claims, "
    "claim_epoch, fetched_key"
)
VALUES = "%s, id, 'pending', CURRENT_TIMESTAMP, '', '', 0, 0, 0, ''"


def _offers(vendor: str, kind: str) -> str:
    """SQL for "this asset has a source of that kind"."""
    if vendor == "postgresql":
        return f"""sources @> '[{{"kind": "{kind}"}}]'::jsonb"""
    return (
        "EXISTS (SELECT 1 FROM json_each(sources) AS source "
        f"WHERE json_extract(source.value, '$.kind') = '{kind}')"
    )


def make(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    image, video = _offers(vendor, "image"), _offers(vendor, "video")
    to_asset = (
        f"INSERT INTO media_archive_download ({COLUMNS.format(owner='asset_id')})"
    )
    to_author = (
        f"INSERT INTO media_archive_download ({COLUMNS.format(owner='author_id')})"
    )
    # Films first, portraits then: the newest rows are fetched first.
    statements = [
        (
            (
                f"{to_asset} SELECT {VALUES} FROM media_archive_mediaasset "
                f"WHERE {video} ORDER BY id ON CONFLICT DO NOTHING"
            ),
            ["film"],
        ),
        (
            (
                f"{to_author} SELECT {VALUES} FROM media_archive_author "
                "WHERE avatar_url IS NOT NULL ORDER BY id ON CONFLICT DO NOTHING"
            ),
            ["avatar"],
        ),
        (
            (
                f"{to_asset} SELECT {VALUES} FROM media_archive_mediaasset "
                f"WHERE {image} ORDER BY id ON CONFLICT DO NOTHING"
            ),
            ["picture"],
        ),
        (
            (
                "UPDATE media_archive_mediaasset SET state = 'gone' "
                f"WHERE state = 'pending' AND NOT ({image})"
            ),
            [],
        ),
    ]
    with schema_editor.connection.cursor() as cursor:
        for sql, said in statements:
            cursor.execute(sql, said)


class Migration(migrations.Migration):
    dependencies = [("media_archive", "0003_download_file")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
