"""``changeling evaluate face``: footage, rendered heads and an exported model in, a page of scores out.

Everything is changed by the device runtime from the exported file. `rendered` judges heads with exact truth, `edits`
and `movements` say what is asked of real faces and what must move, `footage` judges photos and `clips` videos, `mouth`
and `identity` are judges of their own, `bars` the bars as data, `results` what is written, `table`, `page`, `pictures`
and `side_by_side` its looks, `run` all of it in order, `cli` the command.
"""
