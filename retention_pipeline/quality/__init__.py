"""Expectation suites derived from the declarations, run with Great Expectations, with plain results."""
