"""The dispatcher's decisions, in plain Python: no I/O, no clock.

catalogue.py finds the rule, dispatch.py decides and reasons.py says why, assignment.py holds the
machine, returns.py and completion.py the guards of the two moves that have conditions, ticket.py
what the desk may do.
"""
