"""`python -m signalbox`: the command line, where the script is not on the path."""

from signalbox.cli import main

main()
