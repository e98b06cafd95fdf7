"""``changeling evaluate voice``: recordings and an exported model in, a page of scores out.

Everything is converted through the device runtime. `inputs` reads the recordings, `sounds` makes what is to be scored,
`evaluators` are the judges behind protocols, `measures` the arithmetic, `results` the data, `page` and `table` its
looks, `cli` the command. The judges live in the environment that `make evaluate` makes; nothing here needs training.
"""
