"""A business as it describes itself: the schema of `retention.yaml`, its defaults, loading, and helpful errors."""
