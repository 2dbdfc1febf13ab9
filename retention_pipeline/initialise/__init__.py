"""`retention init`: a first `retention.yaml` from a folder of exports."""
