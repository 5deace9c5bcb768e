"""What may reach a log: no secret, and no control character of a stranger's."""

from __future__ import annotations

import logging
import re

SECRETS = re.compile(
    r"(?i)\b(access_token|client_secret|client_id|sig|(?:hub\.)?verify_token|token)=[^&\s\"']+"
)
CONTROLS = {i: f"\\x{i:02x}" for i in (*range(32), 127) if i not in (9, 10)}


def redact(text: str) -> str:
    """``text`` with the values of secret parameters blanked and control characters
    (all but tab and line feed) made visible."""
    return SECRETS.sub(r"\1=…", text).translate(CONTROLS)


class Redact(logging.Filter):
    """Formats the record once, redacts the text and lets it pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        return True
