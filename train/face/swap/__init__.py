"""Swaps: another person's face, learnt from rendered heads first and from a person's own photos after that.

The same steps as expressions: `collect` (rendered pairs of a source and a target head), `preprocess`, `model` and
`losses`, `fit` (the base that all people start from), `adapt` (one person, from the base), `predict`. `train.face.swap
.cli` is the command.
"""
