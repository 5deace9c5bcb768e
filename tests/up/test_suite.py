"""`manage.py test` sorts its words among the pytest processes and adds them up."""

from __future__ import annotations

from pathlib import Path

import pytest

from photowall.up import suite
from photowall.up.suite import END_TO_END, FAULTS, Part, plan, together

HERE = "tests/up/test_suite.py"


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(suite.CHECKOUT)


def summary(parts: list[Part], browser: str | None) -> int:
    return suite._sum_up(parts, browser)


def test_without_words_all_three_run_and_the_browser_is_last() -> None:
    parts = plan([], "/usr/bin/chromium")
    assert [part.title for part in parts] == [
        "on PostgreSQL",
        "end to end",
        "once more on SQLite",
    ]
    assert parts[0].environment == {}
    assert parts[2].environment == {"PHOTOWALL_TEST_DATABASE": "sqlite"}
    assert parts[2].words[-2:] == ["-m", "also_on_sqlite"]
    files = [Path(word) for word in parts[2].words if word.endswith(".py")]
    assert len(files) > 20
    assert all("also_on_sqlite" in file.read_text("utf-8") for file in files)
    assert parts[1].words[-2:] == [str(END_TO_END), str(FAULTS)]
    assert "loadfile" in parts[1].words
    assert "loadfile" not in plan([], None)[1].words
    assert "DJANGO_ALLOW_ASYNC_UNSAFE" in parts[1].environment
    assert "PHOTOWALL_NO_BROWSER" not in parts[1].environment


def test_whole_instances_and_sqlite_share_the_machine() -> None:
    rounds = together(plan([], "chromium"))
    assert [[part.title for part in some] for some in rounds] == [
        ["on PostgreSQL"],
        ["end to end", "once more on SQLite"],
    ]
    alone = together(plan([HERE], "chromium"))
    assert [len(some) for some in alone] == [1, 1]


def test_parts_that_run_together_are_both_told_and_counted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "test_good.py", tmp_path / "test_bad.py"
    good.write_text("def test_a(): pass")
    bad.write_text("def test_b(): assert False, 'by intent'")
    few = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    first = Part("good", [*few, str(good)])
    second = Part("bad", [*few, str(bad)], beside=True)
    suite._run([first, second])
    assert (first.code, second.code) == (0, 1)
    assert (first.counts["passed"], second.counts["failed"]) == (1, 1)
    assert "by intent" in capfd.readouterr().out


def test_paths_go_where_they_belong_and_options_everywhere() -> None:
    ours = plan([HERE + "::test_x", "-q"], "chromium")
    assert [part.title for part in ours] == ["on PostgreSQL", "once more on SQLite"]
    assert ours[0].words == ["-q", HERE + "::test_x"]
    theirs = plan(["tests/end_to_end/conftest.py", "-q"], "chromium")
    assert [part.words for part in theirs] == [["-q", "tests/end_to_end/conftest.py"]]


def test_the_whole_run_uses_all_cores_and_a_few_files_one_process() -> None:
    assert all("-n" in part.words for part in plan([], "chromium")[:2])
    assert "-n" not in plan([], "chromium")[2].words, "it takes what is left"
    assert all("-n" not in part.words for part in plan([HERE], "chromium"))
    assert plan(["-n", "0"], "chromium")[0].words == ["-n", "0"]


def test_an_own_choice_of_marks_is_not_overruled() -> None:
    titles = [part.title for part in plan(["-m", "asyncio"], "chromium")]
    assert titles == ["on PostgreSQL", "end to end"]


def test_a_part_that_fails_fails_the_run() -> None:
    assert summary([Part("a", [], code=0), Part("b", [], code=1)], "chromium") == 1
    assert summary([Part("a", [], code=0), Part("b", [], code=-15)], "chromium") == 1
    assert summary([Part("a", [], code=0), Part("b", [], code=5)], "chromium") == 0


def test_nothing_collected_anywhere_is_no_success() -> None:
    assert summary([Part("a", []), Part("b", [])], "chromium") == 5


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_no_nginx_is_said_in_capitals_and_fails_the_gate(
    ci: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(suite, "find_nginx", lambda: None)
    parts = plan([], "chromium")
    assert parts[0].environment["PHOTOWALL_NO_NGINX"] == "1"
    for part in parts:
        part.code = 0
    assert summary(parts, "chromium") == code
    said = capsys.readouterr().out
    assert "NO NGINX WAS FOUND: THE TESTS WITH IT WERE NOT RUN." in said
    monkeypatch.setattr(suite, "find_nginx", lambda: "/usr/sbin/nginx")
    assert "PHOTOWALL_NO_NGINX" not in plan([], "chromium")[0].environment


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_no_browser_is_said_in_capitals_and_fails_the_gate(
    ci: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CI", ci)
    parts = plan([], None)
    assert parts[1].environment["PHOTOWALL_NO_BROWSER"] == "1"
    for part in parts:
        part.code = 0
    assert summary(parts, None) == code
    said = capsys.readouterr().out
    assert "NO CHROMIUM OR CHROME WAS FOUND: THE BROWSER TESTS WERE NOT RUN." in said
    assert ("ALL TESTS PASSED" in said) is (code == 0)
