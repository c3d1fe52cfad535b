"""``python -m services``: the command line (operations/cli.py)."""

from operations.cli import main

if __name__ == "__main__":
    main()
