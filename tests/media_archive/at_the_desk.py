"""People before the admin's pages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User


def may(user: User, *codenames: str) -> User:
    """Let ``user`` into the admin, with these permissions."""
    user.is_staff = True
    user.save()
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return user


def text_of(response: Any) -> str:
    """The page, which must have been given."""
    assert response.status_code == 200, response.status_code
    text: str = response.content.decode()
    return text
