"""Typed values by dotted path to one JobSpec, and the rules that join several keys."""

from collections.abc import Mapping
from typing import Any

from .check import Faults, Value, holds, is_command
from .schema import ENV, dotted, keys, leaves, sections
from .spec import JobSpec


def assemble(values: Mapping[str, Value], where: str, faults: Faults) -> JobSpec:
    """The job; `where` is blamed for what is missing. Raises ConfigError with every fault."""
    _check_whole(values, where, faults)
    faults.raise_any()
    job: JobSpec = _build("", values)
    return job


def _build(section: str, values: Mapping[str, Value]) -> Any:
    given: dict[str, Any] = {}
    for key in keys(section):
        path = dotted(section, key)
        if path == ENV:
            given[key] = _variables(values)
        elif path in values:
            given[key] = values[path].value
        elif path in sections() and holds(path, values):
            given[key] = _build(path, values)
    return sections()[section](**given)


def _variables(values: Mapping[str, Value]) -> dict[str, str]:
    own = {path.partition("."): value for path, value in values.items()}
    return {name: value.value for (head, _, name), value in own.items() if head == ENV and name}


def _check_whole(values: Mapping[str, Value], where: str, faults: Faults) -> None:
    trains = holds("train", values)
    if not trains and not is_command(values) and not faults.found:
        hint = "write run: COMMAND, or train: with recipe, model and dataset"
        faults.add(where, "the job has neither train nor run", hint)
    present = values.keys() | faults.paths
    for leaf in leaves().values():
        if leaf.required and leaf.path not in present and (trains or "." not in leaf.path):
            faults.add(
                _nearest(leaf.path, values, where), f"{leaf.path} is missing", _EXAMPLES[leaf.path]
            )
    _check_batches(values, faults)
    _check_secrets(values, faults)


def _nearest(path: str, values: Mapping[str, Value], where: str) -> str:
    """A place to write a missing key: beside its section's first key, else `where`."""
    section = path.rpartition(".")[0]
    beside = [value.where for other, value in values.items() if other.startswith(f"{section}.")]
    return beside[0] if section and beside else where


def _check_batches(values: Mapping[str, Value], faults: Faults) -> None:
    whole, part = values.get("train.batch_size"), values.get("train.micro_batch")
    if whole and part and whole.value and part.value and whole.value % part.value:
        what = f"train.batch_size {whole.value} is no multiple of micro_batch {part.value}"
        faults.add(whole.where, what, "choose a micro_batch that divides it")


def _check_secrets(values: Mapping[str, Value], faults: Faults) -> None:
    for name in values["secrets"].value if "secrets" in values else ():
        if f"{ENV}.{name}" in values:
            place = values[f"{ENV}.{name}"].where
            faults.add(place, f"{name} is in env and in secrets", "keep it in secrets only")


_EXAMPLES = {
    "name": "write for example name: my-job",
    "train.recipe": "write recipe: lora, or recipe: full",
    "train.model": "write a folder or a hub name, for example model: HuggingFaceTB/SmolLM2-135M",
    "train.dataset": "write a file or folder, for example dataset: data/train.jsonl",
}
