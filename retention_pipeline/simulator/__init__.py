"""A simulated business whose truth is known: exports of every feed on one side, what really happened on the other."""
