"""The decisions of feedback, pure: no I/O and no clock.

machine: the callback and its allowed moves · planning: when to call · reports: which outcomes are
taken · verdict: what the citizen's word does to the ticket · messages: what the citizen is told ·
rates: satisfaction by named formulas · policy: the shape of callbacks.yaml.
"""
