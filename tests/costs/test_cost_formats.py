"""Rules of the formats: one JSON that its schema describes, and all others made from it."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

import longshore
from longshore.configs.spec import JobSpec
from longshore.costs import document, planned
from longshore.costs.document import Document
from longshore.costs.estimate import estimate
from longshore.costs.plan import plan
from longshore.costs.render import MOST_ROWS, render, table
from longshore.costs.report import Actual, Leftover, Outputs, report
from longshore.errors import DataError

ROOT = Path(longshore.__file__).parent
SCHEMA = json.loads((ROOT / "costs" / "schema.json").read_text())
KINDS = ("plan", "estimate", "command", "report", "bare report")
NASTY = "<script>alert('x')</script> | *a* `b` [c](d)\nnew"


@pytest.fixture(params=KINDS)
def shown(request: pytest.FixtureRequest, project: Any, stall: Any, now: datetime) -> Document:
    """Each kind of document there is, with text in it that must be escaped."""
    offers = [stall.own, stall.rented, stall.old, replace(stall.spot, stock=NASTY, note=NASTY)]
    spec = replace(project.job(max_cost=Decimal(5)), name=NASTY)
    made = plan(spec, offers, project.folder, now)
    bare = Actual("r1", NASTY, "failed", NASTY, {}, now, now, Decimal("0.5"))
    ran = replace(
        bare,
        phases={"provision": 3.0, "train": 30.25, "eval": 2.0},
        machine="m-1",
        gone_at=now,
        attempts=2,
        interruptions=1,
        steps=10,
        tokens=10_000,
        tokens_per_s=330.123,
        eval_loss=2.51234,
        baseline=3.0,
        outputs=Outputs(2, 1000, NASTY),
        leftovers=(Leftover("disk", NASTY, Decimal("1.6")),),
    )
    command = JobSpec(name=NASTY, run="true")
    makers = {
        "plan": lambda: document.of_plan(made),
        "estimate": lambda: document.of_estimate(made.estimate),
        "command": lambda: document.of_estimate(estimate(command, project.folder, offers, now)),
        "report": lambda: document.of_report(report(ran, planned.of_plan(made), now)),
        "bare report": lambda: document.of_report(report(bare, None, now)),
    }
    return makers[request.param]()


def test_the_schema_is_one() -> None:
    """It is valid JSON Schema 2020-12, and docs/ shows the very file."""
    Draft202012Validator.check_schema(SCHEMA)
    published = Path(__file__).parents[2] / "docs" / "longshore.cost-v1.schema.json"
    assert json.loads(published.read_text()) == SCHEMA


def test_every_document_is_as_the_schema_says(shown: Document) -> None:
    """What is printed validates."""
    Draft202012Validator(SCHEMA).validate(json.loads(render(shown, "json")))


@pytest.mark.parametrize(
    "change",
    [{"kind": "other"}, {"surprise": 1}, {"made_at": "yesterday"}, {"warnings": "none"}],
)
def test_the_schema_refuses(project: Any, stall: Any, now: datetime, change: Document) -> None:
    """Another kind, an unknown field, a time that is none: the schema is no rubber stamp."""
    good = document.of_estimate(estimate(project.job(), project.folder, [stall.own], now))
    validator = Draft202012Validator(SCHEMA)
    assert validator.is_valid(good)
    assert not validator.is_valid(good | change)


def test_json_comes_back(shown: Document) -> None:
    """A stored document is read as it was written."""
    assert document.parse(render(shown, "json")) == shown


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": "longshore.cost/v9"}'])
def test_a_damaged_document(content: str) -> None:
    """Damaged, or of another version: one line, our error."""
    with pytest.raises(DataError):
        document.parse(content)


def test_money_and_numbers(shown: Document) -> None:
    """Money is text with 4 places; no number is NaN or infinite."""
    text = render(shown, "json")
    assert not re.search(r"\b(NaN|Infinity)\b", text)
    found = re.findall(r'"usd_per_hour": (.*?),?\n', text)
    assert found
    assert all(re.fullmatch(r'"\d+\.\d{4}"', amount) for amount in found)


def test_a_number_that_is_none_is_null(now: datetime) -> None:
    """A loss of NaN becomes null."""
    ran = Actual("r", "j", "failed", "", {}, now, now, Decimal(0), eval_loss=float("nan"))
    assert document.of_report(report(ran, None, now))["work"]["eval_loss"] is None


def test_times_are_utc(now: datetime) -> None:
    """Whatever zone a time came in, it leaves in UTC."""
    east = now.astimezone(timezone(timedelta(hours=5)))
    ran = Actual("r", "j", "done", "", {}, east, east, Decimal(0))
    assert document.of_report(report(ran, None, now))["started_at"] == "2026-11-20T12:00:00Z"


class Page(HTMLParser):
    """Checks that every element is closed in order, and keeps what refers to the outside."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.references: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.references += [name for name, _ in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole(shown: Document) -> None:
    """Every element is closed, in order; what the user wrote is text, never markup."""
    page = Page(render(shown, "html"))
    assert page.open == []
    assert "script" not in page.seen
    assert page.seen.count("table") == 1


def test_the_page_needs_nothing_from_outside(shown: Document) -> None:
    """No source, link, import or address: it is the same on a machine without a network."""
    text = render(shown, "html")
    assert Page(text).references == []
    assert not re.search(r"https?:|url\(|@import", text)


@pytest.mark.parametrize("rule", ["prefers-color-scheme: dark", "@media print", "color-scheme:"])
def test_the_page_suits_screen_and_paper(shown: Document, rule: str) -> None:
    """Light, dark and printed, by CSS alone."""
    assert rule in render(shown, "html")


def test_bars_stay_on_their_track(project: Any, stall: Any, now: datetime) -> None:
    """Each range bar lies within 0 and 100, with its mark inside; the row's text is beside it."""
    offers = [stall.own, stall.rented, stall.spot]
    text = render(document.of_plan(plan(project.job(), offers, project.folder, now)), "html")
    bars = re.findall(r'"band" x="([\d.]+)" y="2" width="([\d.]+)"', text)
    marks = re.findall(r'"mark" x="([\d.]+)"', text)
    assert len(bars) == len(marks) == 2 * len(offers)
    for (start, width), mark in zip(bars, marks, strict=True):
        assert 0 <= float(start) <= float(mark) <= float(start) + float(width) <= 100.5


def test_markdown_is_one_table(shown: Document) -> None:
    """Every line of the table has as many cells as its heading; nothing breaks out of a cell."""
    text = render(shown, "md")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    bars = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert len(bars) == 1
    lines = [*shown["phases"], "the sum"] if shown["kind"] == "report" else shown["rows"]
    assert len(rows) == 2 + len(lines)
    assert "<script" not in text.replace("\\<", "")


def test_the_terminal_shows_all_columns(shown: Document) -> None:
    """The table prints at any width, and markup in a name is shown as it is."""
    for width in (60, 200):
        out = StringIO()
        Console(file=out, width=width).print(table(shown))
        assert out.getvalue().strip()
    assert "[c](d)" in out.getvalue()


def test_a_long_table_is_cut(project: Any, stall: Any, now: datetime) -> None:
    """A terminal shows the first rows and one's own machine; it says how many are left out."""
    many = [
        replace(stall.rented, provider=f"cloud{n}", usd_per_hour=Decimal("0.0001"))
        for n in range(MOST_ROWS + 5)
    ]
    slow = replace(stall.own, usd_per_hour=Decimal(99))
    made = document.of_estimate(estimate(project.job(), project.folder, [*many, slow], now))
    out = StringIO()
    Console(file=out, width=200).print(table(made))
    assert "5 more rows" in out.getvalue()
    assert "local here docker" in out.getvalue()
    assert render(made, "md").count("\n| ") == 2 + len(many) + 1


@pytest.mark.parametrize(
    ("gone", "said"), [(True, "nothing left running: m-1"), (False, "m-1 is not proven gone")]
)
def test_the_last_word_is_on_the_machine(now: datetime, gone: bool, said: str) -> None:
    """Gone is only said with a time of proof; else there is a warning with what to do."""
    ran = Actual("r", "j", "done", "", {}, now, now, Decimal(0), machine="m-1")
    ran = replace(ran, gone_at=now if gone else None)
    assert said in render(document.of_report(report(ran, None, now)), "md")


def test_nothing_heavy_is_loaded() -> None:
    """Importing the whole room loads neither jinja2 nor rich, nor anything larger."""
    rooms = sorted(path.stem for path in (ROOT / "costs").glob("*.py"))
    names = ", ".join(name for name in rooms if name != "__init__")
    heavy = "{'jinja2', 'rich', 'docker', 'requests', 'torch', 'pydantic', 'numpy'}"
    code = (
        f"import sys\nfrom longshore.costs import {names}\n"
        f"from longshore.providers import catalog\nprint({heavy} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_time_now_has_a_zone(project: Any, stall: Any) -> None:
    """A plan made without a time is made now, UTC."""
    made = plan(project.job(), [stall.own], project.folder)
    assert made.estimate.made_at.tzinfo is UTC
