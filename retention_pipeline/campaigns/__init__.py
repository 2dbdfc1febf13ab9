"""Campaign decisions: who gets which play with which offer, who does not and why, and the lists that are sent."""
