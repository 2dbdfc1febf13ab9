"""The assets, one module for each group of the lineage."""
