"""What the commands do; imported only by the command that runs."""
