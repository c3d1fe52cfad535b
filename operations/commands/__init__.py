"""What can be asked for on the command line, a file for each task; table.py names them all."""
