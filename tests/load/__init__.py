"""Load: what a phone system sends, sent as fast as you like, and what it costs to serve.

`make load` and `make locust` send it to a system that runs; `make bench` starts one and measures.
"""
