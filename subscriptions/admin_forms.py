"""The forms of the admin: what they refuse, they refuse with a sentence."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError

from media_archive.encryption import Unopened
from media_archive.errors import InvalidTag
from media_archive.tags import normalise_tag
from subscriptions import lifecycle
from subscriptions.models import ProviderAccount, Subscription

SECRETS = ("client_secret", "access_token")


class FollowForm(forms.ModelForm):
    """Which hashtag to follow, and where."""

    tag = forms.CharField(
        label="Hashtag",
        max_length=300,
        help_text="For example #sunset. Letters, digits and _ of any language.",
    )

    class Meta:
        model = Subscription
        fields = ("account", "tag")

    def clean_tag(self) -> str:
        """The normal form."""
        try:
            return normalise_tag(self.cleaned_data["tag"])
        except InvalidTag as error:
            raise ValidationError(error.message) from error

    def clean(self) -> dict[str, Any]:
        """Refuses what is followed already, here and not by a stack trace."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        account, tag = said.get("account"), said.get("tag")
        if account is not None and tag:
            other = lifecycle.standing(account.provider, tag)
            if other is not None:
                state = other.get_state_display().lower()
                self.add_error("tag", f"#{tag} is followed already ({state}).")
        return said


class AccountForm(forms.ModelForm):
    """Credentials. Stored secrets are never shown; an empty field keeps them."""

    client_secret = forms.CharField(required=False)
    access_token = forms.CharField(required=False)
    forget_access_token = forms.BooleanField(required=False)

    class Meta:
        model = ProviderAccount
        fields = (
            "name",
            "provider",
            "base_url",
            "hourly_limit",
            "client_id",
            *SECRETS,
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SECRETS:
            is_set = bool(getattr(self.instance, name))
            self.initial.pop(name, None)
            self.fields[name].widget = forms.PasswordInput(
                attrs={"autocomplete": "new-password", "size": 60}
            )
            self.fields[name].help_text = (
                "It cannot be decrypted: enter it anew, or put the key it was stored "
                "with back into PHOTOWALL_ENCRYPTION_KEY."
                if isinstance(getattr(self.instance, name), Unopened)
                else "Set. Leave empty to keep it."
                if is_set
                else "Not set."
            )

    def clean_base_url(self) -> str:
        """Without a slash at the end."""
        text: str = self.cleaned_data["base_url"].strip().rstrip("/")
        try:
            parts = urlsplit(text)
            usable = (
                parts.scheme in ("http", "https")
                and bool(parts.hostname)
                and (parts.port is None or parts.port > 0)
            )
        except ValueError:
            usable = False
        if not usable or any(character.isspace() for character in text):
            raise ValidationError(
                "Please enter a web address, for example https://api.example.org/v1."
            )
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValidationError(
                "The base URL has no user name, no ? and no #: "
                "credentials belong into their own fields."
            )
        return text

    def clean(self) -> dict[str, Any]:
        """An empty secret is the stored one, for the host it was stored for."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        forget = bool(said.get("forget_access_token"))
        elsewhere = "base_url" in said and (
            _host(said["base_url"]) != _host(self.instance.base_url)
        )
        for name in SECRETS:
            if said.get(name):
                continue
            said[name] = stored = getattr(self.instance, name)
            if stored and elsewhere and not (forget and name == "access_token"):
                self.add_error(
                    name,
                    "The base URL leads to another host now. What is stored was "
                    "meant for the old one and is not sent there: type it again.",
                )
        if forget:
            said["access_token"] = ""
        return said


def _host(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port: who is spoken to; None = nobody yet."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    usual = 443 if parts.scheme == "https" else 80
    return parts.scheme, parts.hostname or "", usual if port is None else port
