"""The tests, one folder per tier; each folder's name is the mark of its tests."""
