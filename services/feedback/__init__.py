"""回访 feedback: callbacks, verdicts and messages to citizens; it has the last word on a ticket."""
