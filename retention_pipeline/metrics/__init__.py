"""Metrics, declared once in the YAML of the mart that computes them: what BI, the reference and the checks read."""
