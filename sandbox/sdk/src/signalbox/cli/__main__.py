"""`python -m signalbox.cli`: as `signalbox`, wherever its script lies."""

from signalbox.cli.program import main

main()
