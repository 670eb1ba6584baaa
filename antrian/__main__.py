"""`python -m antrian`: the same as the `antrian` command."""

from antrian.cli.index import main

main()
