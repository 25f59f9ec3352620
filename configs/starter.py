"""The job's file that `longshore init` writes."""

import re
from pathlib import Path

_LONGEST = 40


def starter(folder: str) -> str:
    """A commented longshore.yaml for a training job, named after the folder it is for."""
    text = (Path(__file__).parent / "starter.yaml").read_text(encoding="utf-8")
    return text.replace("name: my-job", f"name: {job_name(folder)}", 1)


def job_name(folder: str) -> str:
    """A folder's name as a job's: lower-case letters, digits and hyphens, "my-job" if none."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.lower())
    return words[:_LONGEST].strip("-") or "my-job"
