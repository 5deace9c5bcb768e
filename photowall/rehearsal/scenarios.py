"""The scenarios, in the order `rehearse all` plays them."""

from __future__ import annotations

from photowall.rehearsal.steps import (
    AwaitArchived,
    AwaitSuspended,
    Delete,
    Edit,
    Fault,
    Hasten,
    Heal,
    Publish,
    Resume,
    Scenario,
    SetFaults,
    Step,
    Wait,
)


def _under(*faults: Fault, seconds: float = 6.0, hasten: bool = False) -> list[Step]:
    """Some posts come while all is well; the rest in four bursts under faults, which
    then last a while and end."""
    return [
        Publish(0.2),
        SetFaults(faults),
        Publish(0.8, bursts=4, pause=1.0),
        Wait(seconds),
        Heal(),
        *([Hasten()] if hasten else []),
    ]


def _scenarios() -> dict[str, Scenario]:
    made = [
        Scenario("calm", "No fault at all: the road as it should be.", (Publish(),)),
        Scenario(
            "rate_limits",
            "Every second call is refused with 429; we wait as we are told.",
            (*_under(Fault("rate_limited", 0.5, options={"retry_after": 2})),),
        ),
        Scenario(
            "server_errors",
            "The upstream answers 500 and 503.",
            (*_under(Fault("error_500", 0.4), Fault("error_503", 0.3)),),
        ),
        Scenario(
            "broken_answers",
            "Pages for people, half documents, another API's JSON.",
            (
                *_under(
                    Fault("html", 0.25),
                    Fault("wrong_envelope", 0.25),
                    Fault("half_json", 0.25),
                    Fault("truncated", 0.25),
                ),
            ),
        ),
        Scenario(
            "broken_lines",
            "Connections are cut, answers drip.",
            (*_under(Fault("slow", 0.4, options={"delay": 2}), Fault("cut_off", 0.6)),),
        ),
        Scenario(
            "time_outs",
            "The upstream takes the call and says nothing.",
            (*_under(Fault("timeout", count=1, options={"delay": 15}), seconds=10),),
        ),
        Scenario(
            "odd_pages",
            "Posts twice, in any order, with fields of wrong types; pages again.",
            (
                *_under(
                    Fault("duplicates", 0.5),
                    Fault("reordered", 0.5),
                    Fault("mangled_item", 0.3),
                    Fault("repeated_page", 0.5),
                    hasten=True,
                ),
            ),
        ),
        Scenario(
            "late_pages",
            "Posts are listed late, or the page is empty though there are some.",
            (
                *_under(
                    Fault("late_listing", options={"delay": 3}),
                    Fault("stale_listing", 0.3, options={"delay": 3}),
                    Fault("empty", 0.2),
                    hasten=True,
                ),
            ),
        ),
        Scenario(
            "storm",
            "Every notification comes fifty times.",
            (*_under(Fault("storm", options={"times": 50}), seconds=2),),
        ),
        Scenario(
            "silence",
            "No notification comes at all: only the poll finds the posts.",
            (*_under(Fault("silence"), hasten=True),),
        ),
        Scenario(
            "late_notices",
            "Notifications come late and in the wrong order.",
            (
                *_under(
                    Fault("delayed", 0.5, options={"delay": 3}),
                    Fault("out_of_order", options={"delay": 2}),
                ),
            ),
        ),
        Scenario(
            "forgeries",
            "False notifications come beside the true ones and are refused.",
            (*_under(Fault("forged", options={"times": 6}), seconds=2),),
        ),
        Scenario(
            "revoked_token",
            "Our credential is refused; a person mends it; nothing is missed.",
            (
                Publish(0.2),
                SetFaults((Fault("revoked_token"),)),
                Publish(0.4),
                AwaitSuspended(),
                Publish(0.4),
                Heal(),
                Resume(),
            ),
        ),
        Scenario(
            "forgotten",
            "The upstream forgets that we follow; we notice and ask anew.",
            (
                Publish(0.2),
                AwaitArchived(),
                SetFaults((Fault("forgotten_subscription", count=1),)),
                Publish(0.4),
                Heal(),
                Hasten(),
                AwaitArchived(),
                Publish(0.4),
                Hasten(),
            ),
        ),
        Scenario(
            "edits",
            "Captions change after we have archived; each change arrives once.",
            (Publish(), AwaitArchived(), Edit(0.3), Hasten()),
        ),
        Scenario(
            "deletions",
            "Posts are deleted after we have archived; the archive keeps them.",
            (Publish(0.8), AwaitArchived(), Delete(0.3), Publish(0.2), Hasten()),
        ),
        Scenario(
            "expired_addresses",
            "Addresses of pictures expire before we call; posts are read again.",
            (*_under(Fault("picture_expired", 0.6), seconds=4, hasten=True),),
            pictures=True,
        ),
        Scenario(
            "broken_pictures",
            "Pictures are cut off, drip, fail, are not there; all are kept in the end.",
            (
                *_under(
                    Fault("picture_cut_off", 0.2),
                    Fault("picture_slow", 0.2, options={"delay": 2}),
                    Fault("picture_500", 0.2),
                    Fault("picture_429", 0.2, options={"retry_after": 2}),
                    Fault("picture_404", 0.1),
                    hasten=True,
                ),
            ),
            pictures=True,
        ),
        Scenario(
            "bad_pictures",
            "What comes is no picture, or too much of one: refused, with a reason.",
            (
                *_under(
                    Fault("picture_truncated", 0.1),
                    Fault("picture_html", 0.1),
                    Fault("picture_svg", 0.1),
                    Fault("picture_endless", 0.1),
                    Fault("picture_bomb", 0.1),
                    Fault("picture_frames", 0.1),
                    Fault("picture_gzip", 0.1),
                    Fault("picture_redirect", 0.1),
                    hasten=True,
                ),
            ),
            pictures=True,
            may_refuse=True,
        ),
        Scenario(
            "bad_day",
            "A little of everything at once.",
            (
                *_under(
                    Fault("rate_limited", 0.1),
                    Fault("error_500", 0.1),
                    Fault("html", 0.1),
                    Fault("cut_off", 0.1),
                    Fault("truncated", 0.1),
                    Fault("duplicates", 0.3),
                    Fault("reordered", 0.3),
                    Fault("storm", 0.5, options={"times": 10}),
                    Fault("silence", 0.2),
                    Fault("forged", 0.3),
                    Fault("edits", 0.3),
                    Fault("deletions", 0.1),
                    hasten=True,
                ),
            ),
        ),
    ]
    return {scenario.name: scenario for scenario in made}


SCENARIOS = _scenarios()
