"""The YAML files of this room stay in step with `spec.py`."""

from pathlib import Path

import pytest

import longshore.configs
from longshore.configs import jobfile
from longshore.configs.assemble import assemble
from longshore.configs.check import Faults, Value, check
from longshore.configs.nodes import Entry, Table, parse, read
from longshore.configs.schema import ENV, keys, leaves, sections
from longshore.configs.spec import JobSpec, Train

FOLDER = Path(longshore.configs.__path__[0])
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("**/longshore*.yaml"))


def defaults() -> tuple[Table, dict[str, Value]]:
    faults = Faults()
    tree = read(FOLDER / "defaults.yaml", "defaults.yaml")
    values = check(tree, faults)
    assert faults.found == []
    return tree, values


def entries(table: Table) -> dict[str, Entry]:
    """Every key of a tree by its dotted path, sections and leaves."""
    found: dict[str, Entry] = {}
    for key, entry in table.entries.items():
        found[key] = entry
        if isinstance(entry.node, Table):
            found |= {f"{key}.{inner}": at for inner, at in entries(entry.node).items()}
    return found


def test_defaults_yaml_names_every_key_and_no_other() -> None:
    """The file is the reference of all keys, in the order of the dataclasses."""
    written = [path for path in entries(defaults()[0]) if path not in sections()]
    assert sorted(written) == sorted(leaves())
    for section in filter(None, sections()):
        inside = [path for path in written if path.rpartition(".")[0] == section]
        assert inside == [
            f"{section}.{key}" for key in keys(section) if f"{section}.{key}" in written
        ]


@pytest.mark.parametrize("path", [path for path, leaf in leaves().items() if not leaf.required])
def test_defaults_yaml_gives_every_default(path: str) -> None:
    """What the file says a key is by default, the dataclass says too."""
    value = defaults()[1].get(path)
    if path == ENV:
        assert leaves()[path].default == {}
    else:
        assert value is not None
        assert value.value == leaves()[path].default


def test_every_key_of_defaults_yaml_is_explained() -> None:
    """A comment stands above the key, or above the run of bare keys that it heads."""
    lines = (FOLDER / "defaults.yaml").read_text().splitlines()
    places = [int(entry.where.split(":")[1]) for entry in entries(defaults()[0]).values()]
    heads = [line for line in places if lines[line - 2].strip().startswith("#")]
    assert len(heads) >= len(leaves()) * 0.6


def test_the_starter_is_a_job() -> None:
    """What `longshore init` writes can be read back as it is."""
    spec = job(FOLDER / "starter.yaml")
    assert isinstance(spec.train, Train)
    assert spec.guards.max_time == 7200


def test_the_starter_is_a_job_with_all_its_comments_taken_away() -> None:
    """Whoever uncomments a line of the starter gets a job too."""
    lines = (FOLDER / "starter.yaml").read_text().splitlines()
    plain = [line[2:] if line.startswith("# ") and ":" in line else line for line in lines[1:]]
    plain = [line.replace("  # ", "  ", 1) if line.startswith("  # ") else line for line in plain]
    faults = Faults()
    spec = assemble(check(parse("\n".join(plain), "f"), faults), "f:1:1", faults)
    assert spec.market.spot == "prefer"
    assert str(spec.guards.max_cost) == "5.00"
    assert spec.secrets == ("HF_TOKEN",)


@pytest.mark.parametrize(
    "path",
    [FOLDER / "defaults.yaml", FOLDER / "starter.yaml", *EXAMPLES],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_a_job_survives_its_way_into_the_container(path: Path) -> None:
    """`jobfile.parse` reads what `jobfile.dump` wrote, to the last digit and type."""
    spec = job(path)
    assert jobfile.parse(jobfile.dump(spec)) == spec


@pytest.mark.parametrize(
    "lines",
    [
        "resources: {gpu: A100-80GB:2, memory: 16GB, cpus: 2.5}",
        "market: {bid: 0.10, spot: only}",
        "guards: {max_cost: 12.30}",
        "env: {A: 'yes', B: ''}\nsecrets: [C]",
        "sync: {data: [a, b], exclude: []}\nimage: {apt: [git], offline: true}",
    ],
)
def test_each_kind_of_value_survives_its_way_into_the_container(lines: str) -> None:
    """GPUs, sizes, money, lists and variables come back as they went."""
    faults = Faults()
    values = check(parse(f"name: n\nrun: make\n{lines}", "f"), faults)
    spec = assemble(values, "f:1:1", faults)
    assert jobfile.parse(jobfile.dump(spec)) == spec


def job(path: Path) -> JobSpec:
    faults = Faults()
    return assemble(check(read(path), faults), str(path), faults)
