"""The checks of the notebooks' exercises, one module for each notebook, beside `answers.py`."""
