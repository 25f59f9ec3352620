"""`python -m longshore.training`: the entrypoint of the image."""

import os
import sys
from pathlib import Path

from ..configs.container import POD, ROOT, ROOT_VARIABLE
from . import pod, supervise

if __name__ == "__main__":
    main = pod.main if POD in os.environ else supervise.main
    sys.exit(main(Path(os.environ.get(ROOT_VARIABLE, ROOT))))
