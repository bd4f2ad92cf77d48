"""`python -m yakei` is the console script `yakei`."""

from yakei.cli import main

main()
