"""Feeds: the contracts of what comes in, and everything that turns an export file into rows of `raw`."""
