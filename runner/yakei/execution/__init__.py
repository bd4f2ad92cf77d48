"""Everything about the processes that checks run in: starting, watching and ending them."""
