"""``python -m edge_runtime`` is the ``changeling`` command."""

import sys

from edge_runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
