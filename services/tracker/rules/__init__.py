"""The tracker's decisions: pure, every instant an argument.

timelines: what befell a ticket and its assignments. clock_history: that → what befell each of its
clocks. clock_state: that → how each clock stands. changes: how it stood and how it stands → the
facts to say.
"""
