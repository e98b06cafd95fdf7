"""The voice signal path of the device: front end, graph, excitation, synthesis. NumPy only.

Reading order: `framing` → `mel` → `normalise` → `pitch` → `front_end` (these make the network's inputs),
`controls` (edits them), `excitation` → `synthesis` (turn the network's outputs into samples), `converter` (all of it).
Every stage takes blocks of whole hops; running it on one long block or on many short ones gives the same numbers.
"""
