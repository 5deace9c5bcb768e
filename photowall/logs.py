"""What may reach a log: no secret, and no line or control character of a stranger's."""

from __future__ import annotations

import logging

from media_archive.redaction import redact

_INVISIBLE = (
    *range(32),
    *range(0x7F, 0xA0),
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
)
"""Control characters, line ends of Unicode, and what turns the reading direction."""
_SHOWN = {i: f"\\x{i:02x}" if i < 256 else f"\\u{i:04x}" for i in _INVISIBLE}
_IN_A_LINE = _SHOWN | {9: "\t", 10: "\\n"}
_IN_A_BLOCK = _SHOWN | {9: "\t", 10: "\n  "}


class RedactingFormatter(logging.Formatter):
    """One line for the message; below it, indented, the traceback and the stack.

    Only a line that begins at the margin is the beginning of a record.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The finished text; the record is left as it is for other handlers."""
        try:
            record.message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # The standard library would print the arguments as they are.
            record.message = f"{record.msg} (its arguments do not fit)"
        if self.usesTime():
            record.asctime = self.formatTime(record, self.datefmt)
        parts = [redact(self.formatMessage(record)).translate(_IN_A_LINE)]
        if record.exc_info:
            parts.append(self._block(self.formatException(record.exc_info)))
        elif record.exc_text:
            parts.append(self._block(record.exc_text))
        if record.stack_info:
            parts.append(self._block(self.formatStack(record.stack_info)))
        return "\n".join(parts)

    def _block(self, text: str) -> str:
        return "  " + redact(text).translate(_IN_A_BLOCK)
