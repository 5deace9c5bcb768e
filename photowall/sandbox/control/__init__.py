"""The control doors: what a rehearsal may tell the sandbox to do, over HTTP.

On the loopback only, with the sandbox client's secret as a bearer token.
"""
