"""``python -m export`` is ``changeling export``."""

import sys

from edge_runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["export", *sys.argv[1:]]))
