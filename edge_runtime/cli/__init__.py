"""The command ``changeling``: `main` finds the verb, and each verb is the module of that name with ``run(argv)``.

Nothing here imports NumPy or an interpreter before a verb needs it, so that help and version answer at once.
"""
