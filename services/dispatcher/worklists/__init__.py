"""待办 worklists: what is to be done next, and by when."""
