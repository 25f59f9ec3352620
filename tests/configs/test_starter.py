"""The file that `longshore init` writes."""

import pytest

from longshore.configs.assemble import assemble
from longshore.configs.check import Faults, check
from longshore.configs.nodes import parse
from longshore.configs.starter import starter


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("poems", "poems"),
        ("My Poems_2", "my-poems-2"),
        ("été", "t"),
        ("---", "my-job"),
        ("", "my-job"),
        ("x" * 39 + "-yz", "x" * 39),
    ],
)
def test_the_job_is_named_after_its_folder(folder: str, name: str) -> None:
    """Whatever the folder is called, the file that is written is a job."""
    faults = Faults()
    spec = assemble(check(parse(starter(folder), "f"), faults), "f:1:1", faults)
    assert spec.name == name
