"""A provider for the storm: Instagram API v1 with one tag; it counts its calls."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 33


class Listing:
    """The posts of one tag, oldest first, and the calls so far by kind."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.posts: list[dict[str, Any]] = []
        self.calls: Counter[str] = Counter()
        self.callback = ""

    def post(self) -> None:
        """One more, posted now."""
        number = len(self.posts) + 1
        picture = {"url": f"https://pictures.example/{number}.jpg"}
        self.posts.append(
            {
                "id": f"{number}_1",
                "type": "image",
                "tags": [self.tag],
                "created_time": str(int(time.time())),
                "link": f"https://example.org/p/{number}/",
                "filter": "Normal",
                "user": {"id": "1", "username": "ada", "full_name": "Ada"},
                "caption": {"id": str(number), "text": f"#{self.tag} {number}"},
                "images": {
                    "standard_resolution": {**picture, "width": 640, "height": 640}
                },
                "likes": {"count": 0},
                "comments": {"count": 0},
                "location": None,
            }
        )

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """As the old API: newest first; cursors are positions from the oldest."""
        posts = list(self.posts)
        since = int(query.get("min_tag_id", ["0"])[0])
        before = int(query.get("max_tag_id", [str(len(posts) + 1)])[0])
        first = max(since, before - 1 - PAGE)
        shown = posts[first : before - 1]
        pagination: dict[str, str] = {}
        if shown:
            pagination["min_tag_id"] = str(first + len(shown))
        if first > since:
            pagination["next_max_tag_id"] = str(first + 1)
        return {
            "pagination": pagination,
            "meta": {"code": 200},
            "data": shown[::-1],
        }

    def following(self) -> dict[str, Any]:
        """What the provider believes that we follow."""
        known = {"id": "1", "type": "subscription", "object": "tag"}
        more = {"object_id": self.tag, "callback_url": self.callback}
        return {"meta": {"code": 200}, "data": [{**known, **more}]}


@contextlib.contextmanager
def serving(listing: Listing, port: int) -> Iterator[str]:
    """The base URL of an upstream that answers from ``listing``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path.endswith("/media/recent"):
                listing.calls["media"] += 1
                document = listing.page(parse_qs(address.query))
            else:
                listing.calls["other"] += 1
                document = listing.following()
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Counted, not written."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.shutdown()
        server.server_close()
