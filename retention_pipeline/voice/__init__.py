"""What customers say: language, sentiment and theme of free texts, and the causes of churn that they tell."""
