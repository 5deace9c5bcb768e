"""The pass/fail sheet of one rehearsal: figures, checks, and how they are shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from photowall.rehearsal.kept import Kept

NAMED = 10
"""Native ids named for a person; the JSON has all of them."""
WIDTH = 22


@dataclass
class Sheet:
    """What happened. ``seconds_to_converge`` is None if it did not within the
    limit."""

    scenario: str
    tag: str
    seed: int
    seconds_limit: float
    published: int = 0
    archived: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    journal_wrong: list[str] = field(default_factory=list)
    edited: int = 0
    edits_missing: list[str] = field(default_factory=list)
    deleted: int = 0
    deleted_not_kept: list[str] = field(default_factory=list)
    notifications_answered: int = 0
    notifications_refused: int = 0
    receipts_kept: int = 0
    forgeries_accepted: int = 0
    seconds_to_converge: float | None = None
    calls: int = 0
    most_calls_in_an_hour: int = 0
    calls_allowed: int = 0
    injected: dict[str, int] = field(default_factory=dict)
    megabytes: dict[str, tuple[float, float]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    pictures: Kept | None = None
    """Of a scenario that is about pictures."""
    may_refuse: bool = False

    @property
    def checks(self) -> dict[str, bool]:
        """What must hold, by its name on the sheet."""
        converged = self.seconds_to_converge is not None
        return {
            "all steps done": not self.troubles,
            "published = archived": converged and not self.lost,
            "none doubled": not self.doubled,
            "journal once each": not self.journal_wrong,
            "edits arrived once": not self.edits_missing,
            "deleted ones kept": not self.deleted_not_kept,
            "receipts kept": self.receipts_kept >= self.notifications_answered,
            "forgeries refused": not self.forgeries_accepted,
            "converged in time": converged,
            "calls within budget": self.most_calls_in_an_hour <= self.calls_allowed,
            **self._picture_checks(),
        }

    @property
    def passed(self) -> bool:
        return all(self.checks.values())

    def document(self) -> dict[str, Any]:
        """For a program: one JSON object."""
        return {
            **vars(self),
            "pictures": asdict(self.pictures) if self.pictures else None,
            "checks": self.checks,
            "passed": self.passed,
        }

    def text(self) -> str:
        """For a person."""
        checks = self.checks
        most = f"{self.most_calls_in_an_hour:,} of {self.calls_allowed:,}"
        rows = [
            ("published = archived", f"{self.published} → {self.archived}"),
            ("", _ids("lost", self.lost)),
            ("none doubled", _ids("doubled", self.doubled)),
            ("journal once each", _ids("wrong", self.journal_wrong)),
        ]
        if self.edited:
            late = _ids("missing or told twice", self.edits_missing)
            rows.append(("edits arrived once", f"{self.edited} edited, {late}"))
        if self.deleted:
            gone = _ids("missing here", self.deleted_not_kept)
            rows.append(
                ("deleted ones kept", f"{self.deleted} deleted upstream, {gone}")
            )
        rows += [
            (
                "receipts kept",
                f"{self.receipts_kept} kept, {self.notifications_answered} answered",
            ),
            ("converged in time", self._converged()),
            (
                "calls within budget",
                f"{self.calls} for this tag; of all tags {most} in an hour",
            ),
        ]
        if "forged" in self.injected:
            rows.append(("forgeries refused", f"{self.forgeries_accepted} accepted"))
        if self.pictures:
            rows += self._picture_rows(self.pictures)
        lines = [f"{self.scenario} (#{self.tag}, seed {self.seed})"]
        for name, said in rows:
            mark = {True: "ok", False: "FAIL", None: ""}[checks.get(name)]
            lines.append(f"  {mark:4} {name:{WIDTH}} {said}")
        if self.notifications_refused:
            refused = f"{self.notifications_refused} answered with an error"
            lines.append(f"       {'notifications':{WIDTH}} {refused}")
        faults = ", ".join(f"{kind} {n}" for kind, n in sorted(self.injected.items()))
        lines.append(f"       {'faults':{WIDTH}} {faults or 'none'}")
        for name, (before, after) in self.megabytes.items():
            memory = f"memory of the {name}"
            lines.append(f"       {memory:{WIDTH}} {before:.0f} → {after:.0f} MB")
        lines += [f"  FAIL {trouble}" for trouble in self.troubles]
        lines.append(f"  {'PASS' if self.passed else 'FAIL'}")
        return "\n".join(lines)

    def _picture_checks(self) -> dict[str, bool]:
        said = self.pictures
        if said is None:
            return {}
        return {
            "pictures kept": not said.waiting and said.kept + said.refused.total() > 0,
            "their bytes are true": not said.wrong,
            "refused for a reason": not said.unexplained
            and (self.may_refuse or not said.refused),
        }

    def _picture_rows(self, said: Kept) -> list[tuple[str, str]]:
        why = ", ".join(f"{reason} {n}" for reason, n in sorted(said.refused.items()))
        return [
            ("pictures kept", f"{said.kept}, {_ids('still to come', said.waiting)}"),
            ("their bytes are true", _ids("other bytes", said.wrong)),
            ("refused for a reason", why or "none refused"),
            ("", _ids("without a reason", said.unexplained)),
        ]

    def _converged(self) -> str:
        if self.seconds_to_converge is None:
            return f"not within {self.seconds_limit:g} s"
        return f"{self.seconds_to_converge:.1f} s, limit {self.seconds_limit:g} s"


def _ids(what: str, native_ids: list[str]) -> str:
    if not native_ids:
        return f"0 {what}"
    more = len(native_ids) - NAMED
    named = ", ".join(native_ids[:NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{len(native_ids)} {what}: {named}"
