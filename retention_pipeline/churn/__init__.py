"""The churn model: labelled history, training, evaluation, registry and scores."""
