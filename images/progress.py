"""BuildKit's plain progress as a few words a step, and the last words of a step that failed.

#5 [torch 1/1] RUN ...        the name of step 5
#5 12.34 Downloading torch    what it says, after so many seconds
#5 DONE 12.9s | CACHED | ERROR: ...
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

LINE = re.compile(r"#(?P<step>\d+) (?P<text>.*)")
NAME = re.compile(r"\[(?:\S+/\S+ )?(?P<stage>[a-z]+) +\d+/\d+\] (?P<verb>[A-Z]+).*")
SAID = re.compile(r"(?P<seconds>\d+\.\d+) (?P<text>.*)")
NOISE = re.compile(
    r"sha256:|\s*$| [+-] |Selecting previously|Preparing to unpack|Unpacking|\(Reading"
)
COMMAND = re.compile(r"ERROR: (?:executor failed running|process) .*(?=exit code)")
STAGES = {
    "uv": "installer",
    "ssh": "ssh and rsync",
    "torch": "torch",
    "locked": "libraries",
    "inside": "longshore",
    "apt": "apt packages",
    "requirements": "requirements",
    "final": "code",
}
KEPT = 12


@dataclass
class Progress:
    """Takes the lines of one build; `tell` hears what a person wants to know of them."""

    tell: Callable[[str], None]
    names: dict[str, str] = field(default_factory=dict)
    said: defaultdict[str, deque[str]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=KEPT))
    )
    last: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    told: set[tuple[str, str]] = field(default_factory=set)
    failed: str | None = None

    def feed(self, line: str) -> None:
        """One line of the build's output."""
        line = line.rstrip()
        match = LINE.fullmatch(line)
        if match:
            self._step(match["step"], match["text"])
        elif line:
            self.last.append(line)

    def last_words(self) -> list[str]:
        """The last lines of the step that failed, or of the build where no step did."""
        words = self.said[self.failed] if self.failed else self.last
        return [line for line in words if not NOISE.match(line)]

    def failed_step(self) -> str:
        """The name of the step that failed, empty when none had begun."""
        return self.names.get(self.failed or "", "")

    def _step(self, step: str, text: str) -> None:
        name = self.names.get(step, "")
        if found := NAME.match(text):
            self.names[step] = _label(found["stage"], found["verb"])
        elif text.startswith("ERROR"):
            self.failed = step
            self.said[step].append(COMMAND.sub("ERROR: the step ended with ", text))
        elif done := re.fullmatch(r"DONE ([\d.]+s)", text):
            self._tell(name, done[1].replace("s", " s"))
        elif text == "CACHED":
            self._tell(name, "unchanged")
        elif said := SAID.fullmatch(text):
            self.said[step].append(said["text"])
            if not NOISE.match(said["text"]):
                self._tell(name, said["text"])
        elif text.startswith("exporting to "):
            self.names[step] = "image"

    def _tell(self, name: str, words: str) -> None:
        if name and (name, words) not in self.told:
            self.told.add((name, words))
            self.tell(f"{name}: {words}")


def _label(stage: str, verb: str) -> str:
    return "base image" if verb == "FROM" else STAGES.get(stage, stage)
