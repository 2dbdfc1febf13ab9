"""The open retention pipeline: from raw exports to campaign lists that pay."""

__version__ = "0.1.0"
