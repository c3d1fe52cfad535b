"""What can be asked for on the command line, a file for each task; cli.py lists it all."""
