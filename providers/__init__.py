"""Places to run a job, all behind one boundary (`base.py`), and their prices."""
