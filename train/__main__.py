"""``python -m train`` is ``changeling train``."""

import sys

from edge_runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
