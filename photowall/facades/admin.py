"""In the admin: who may ask the facades, who follows us, what is on its way."""

from __future__ import annotations

from photowall.facades.admin_clients import ApiClientAdmin
from photowall.facades.admin_deliveries import DeliveryAdmin
from photowall.facades.admin_endpoints import EndpointAdmin

__all__ = ["ApiClientAdmin", "DeliveryAdmin", "EndpointAdmin"]
