"""What a run did, for the person who looks: the page in the terminal, the page in a browser, and the pictures."""
