"""``changeling evaluate swap``: rendered heads with exact truth, and footage, in; a table of scores out.

Everything is swapped by the device runtime from the exported file. `rendered` judges heads, `footage` real faces,
`bars` are the bars as data, `results` is what is written, `cli` the command.
"""
