"""Bring one file to this machine: from the best address that gives what we take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from media_archive import claims, files, imaging, outgoing_http
from media_archive.downloads import answers, schedule
from media_archive.downloads.answers import Here, NotHere, Refused
from media_archive.downloads.wishes import Wish
from media_archive.errors import OutgoingError, PictureRefused
from media_archive.imaging import Looked
from media_archive.models import Download, Role

TRY_SMALLER = ("too_large", "too_many_pixels")
"""A smaller size of the same picture may do."""


class NotAFilm(PictureRefused):
    """The address of a film leads to something else."""

    code = "not_a_film"


@dataclass(frozen=True, slots=True)
class Brought:
    """What has come, known by its bytes. ``is_whole``: had it been cut on its way, that
    would have been noticed."""

    sha256: str
    size: int
    looked: Looked
    is_whole: bool

    @property
    def name(self) -> str:
        """Its place in the store."""
        of = files.film_name if self.looked.is_film else files.original_name
        return of(self.sha256, self.looked.content_type)


def bring(row: Download, wish: Wish, path: Path) -> Brought | NotHere:
    """Fetch what ``wish`` means into ``path``, and look at it; or what was said
    instead. Raises ``DiskFull`` and ``ClaimLost``."""
    role = Role(row.role)
    refused = Refused("no_address", "The provider names no address of it.")
    for url in wish.urls:
        claims.renew(Download.objects.all(), row.pk, row.claim_epoch, schedule.HOLD)
        found = _from(url, role, path)
        if not isinstance(found, Refused) or found.reason not in TRY_SMALLER:
            return found
        refused = found
    return refused


def _from(url: str, role: Role, path: Path) -> Brought | NotHere:
    try:
        answer = outgoing_http.fetch(url, into=path, limits=_limits(role))
    except OutgoingError as error:
        return answers.meaning_of_error(error)
    meaning = answers.meaning_of(answer.status, url, answer.retry_after)
    if not isinstance(meaning, Here):
        return meaning
    try:
        looked = imaging.look(path)
        _must_be(role, looked)
    except PictureRefused as error:
        return Refused(error.code, error.message)
    whole = answers.says_its_length(answer.headers)
    return Brought(answer.sha256, answer.size, looked, whole)


def _limits(role: Role) -> outgoing_http.Limits:
    if role == Role.FILM:
        return outgoing_http.FILM
    return outgoing_http.PICTURE if role == Role.PICTURE else outgoing_http.PORTRAIT


def _must_be(role: Role, looked: Looked) -> None:
    if role == Role.FILM and not looked.is_film:
        raise NotAFilm("The address of a film leads to something else.")
    if role != Role.FILM and looked.is_film:
        raise PictureRefused("The address of a picture leads to a film.")
