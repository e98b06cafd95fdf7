"""TensorFlow greets every start with lines about its build; they would drown the line a user should read."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def import_keras() -> None:
    """Import Keras with its backend, showing what that printed only if it failed."""
    with _held_back():
        import keras

        # The second greeting comes with the first operation.
        keras.ops.zeros((1,))


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Keep what is written to the process's stderr, native code included, and let it out if an error follows."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # no stderr at all, as under a service
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            file.seek(0)
            os.write(2, file.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
