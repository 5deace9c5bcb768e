"""JSON that can hold whatever a provider sent."""

from __future__ import annotations

from rest_framework.renderers import JSONRenderer


class AsciiJSONRenderer(JSONRenderer):
    """JSON in ASCII: a lone surrogate in a raw document has no UTF-8 form, its
    escape is fine."""

    ensure_ascii = True
