"""``changeling evaluate swap``: rendered heads with exact truth, and footage, in; a table of scores out.

Everything is swapped by the device runtime from the exported file. `rendered` judges heads, `footage` real faces,
`measures` what both are measured by, `bars` the bars as data, `cli` the command and what is written.
"""
