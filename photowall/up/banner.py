"""What `up` prints when everything runs, and keeps in `var/demo.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from photowall.up.cast import DEMO_TAG, Cast

ADMIN = "admin"


def demo(cast: Cast) -> dict[str, Any]:
    """Absolute addresses and the demo credentials. `sandbox` is null without one."""
    base = cast.base_url
    return {
        "wall": f"{base}/wall/{DEMO_TAG}/",
        "home": f"{base}/",
        "admin": f"{base}/admin/",
        "api": f"{base}/api/v1/",
        "docs": f"{base}/api/v1/docs/",
        "sandbox": f"{cast.sandbox_url}/" if cast.sandbox_url else None,
        "admin_user": ADMIN,
        "admin_password": cast.secrets["admin_password"],
        "analyst_token": cast.secrets["analyst_token"],
    }


def text(content: dict[str, Any], seconds: float, kept_in: Path) -> str:
    """For a person, after a start that took so long."""
    photos = (
        f"The sandbox posts a picture to #{DEMO_TAG} every few seconds."
        if content["sandbox"]
        else "No sandbox: photos come from what you follow in the admin."
    )
    return f"""
Photowall runs ({seconds:.1f} s).

  Wall     {content["wall"]}
  Home     {content["home"]}
  Admin    {content["admin"]}   {content["admin_user"]} / {content["admin_password"]}
  API      {content["api"]}
  API docs {content["docs"]}
  Token    {content["analyst_token"]}   (Authorization: Token …)

{photos}
All of this is kept in {kept_in}. Ctrl-C ends Photowall; the archive stays.
"""
