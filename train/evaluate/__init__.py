"""What ``changeling evaluate voice`` and ``changeling evaluate face`` share.

`cli` tells the two apart; `memory` keeps answers so that a run that was stopped goes on, `origins` says what results
follow from, `intervals` how sure a mean is, `results` what both write, `tables` and `html` how that looks.
"""
