"""办结 completion: the form, requests to end a matter, and the audit of answers."""
