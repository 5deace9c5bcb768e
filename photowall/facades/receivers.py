"""What the facades do when the journal has grown: ring the deliveries."""

from __future__ import annotations
