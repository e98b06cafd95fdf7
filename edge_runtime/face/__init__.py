"""The face path of the device: find, align, move the photo's own pixels, invent what was hidden, paste back.

Reading order: `geometry` and `remap` (points and pixels), `detect` → `landmarks` → `finder` (where faces are),
`smoothing` → `track` (the same faces through a video), `measures` → `controls` (what is asked for, held against what
the face already does), `generator` → `compose` → `editor` (the graph's answer into the photo), `converter` and `stream`
(all of it). Another person's face: `swapper` → `colour_match` → `swap_compose` → `follow` (what its expression lacks),
`swap_converter` and `swap_stream`. Training aligns its crops with the same functions.
"""
