"""Pure judgement: numpy and scipy over plain data. No I/O, no clock, no pytest.

Everything decided here can be recomputed from a results file.
"""
