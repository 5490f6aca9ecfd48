"""Everything in one process, in virtual time, from one seed: engine, sources, QuickBooks, people, and what goes wrong.

`python -m counterfoil.testing.simulation --help` runs it; `world.py` puts it together, `oracle.py` judges it.
"""
