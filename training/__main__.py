"""`python -m longshore.training`: the entrypoint of the image."""

import os
import sys
from pathlib import Path

from ..configs.container import ROOT, ROOT_VARIABLE
from .supervise import main

if __name__ == "__main__":
    sys.exit(main(Path(os.environ.get(ROOT_VARIABLE, ROOT))))
