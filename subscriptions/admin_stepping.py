"""Pages in the admin whose buttons take a step, and where nothing else is saved."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString


class SteppingAdmin(admin.ModelAdmin):
    """Rows are made by a form, then read; ``stepped`` answers a button."""

    @abstractmethod
    def stepped(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to the button that was pressed; None if none was."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All, once it exists."""
        if obj is None:
            return ()
        sets = self.get_fieldsets(request, obj)
        return tuple(field for _, options in sets for field in options["fields"])

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; or the step of a row's button, and the list again."""
        return self.stepped(request) or super().changelist_view(request, extra_context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page; or the step of its button, and the page again."""
        if (answer := self.stepped(request)) is not None:
            return answer
        hidden = {"show_save": False, "show_save_and_continue": False}
        extra = {**hidden, "show_save_and_add_another": False, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra)


def buttons_for(pk: int, steps: Iterable[tuple[str, str]]) -> SafeString:
    """Buttons of a row, part of the page's own form; ``steps`` are (word, label)."""
    return format_html_join(
        " ",
        '<button class="row-button" name="step" value="{}:{}"'
        " formnovalidate>{}</button>",
        ((word, pk, label) for word, label in steps),
    )
