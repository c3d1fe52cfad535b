"""The tracker's decisions: pure, every instant an argument.

courses: what befell a ticket → what befell each of its clocks. standing: that → how each clock
stands. changes: how it stood and how it stands → the facts to say.
"""
