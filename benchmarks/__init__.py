"""The pipeline measured beside bare DuckDB and scikit-learn doing the same work."""
