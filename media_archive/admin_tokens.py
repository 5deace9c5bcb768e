"""API tokens in the admin: made, shown once, taken back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import ForeignKey
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest

from media_archive.admin_reading import DeclaredLookups
from media_archive.models import ApiToken


class ApiTokenAdmin(DeclaredLookups, admin.ModelAdmin):
    """Only a digest is stored, so nothing here can show a token again."""

    list_display = ("name", "user", "created_at", "last_used_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("user", "name", "expires_at")

    def has_change_permission(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> bool:
        """A token is deleted and made anew, not edited."""
        return False

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Only a superuser makes tokens in another person's name: a token may do
        what its person may."""
        if db_field.name == "user":
            users = get_user_model().objects.filter(is_active=True)
            if not request.user.is_superuser:
                users = users.filter(pk=request.user.pk or 0)
            kwargs |= {"queryset": users, "initial": request.user.pk}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: ModelForm[Any], change: bool
    ) -> None:
        """Make the token and say it, this once."""
        made, text = ApiToken.make(obj.user, obj.name, obj.expires_at)
        obj.pk, obj.digest = made.pk, made.digest
        self.message_user(
            request,
            f"The token, shown only now: {text} — use it as “Authorization: Token …”.",
            messages.WARNING,
        )
