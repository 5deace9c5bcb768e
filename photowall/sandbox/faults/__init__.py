"""Faults on purpose: what an upstream does on its bad days, by seed and by hand.

``kinds`` names them, ``board`` holds those that are set, and the other modules do
them: to an answer, to a listing, to a notification, to what we know of followers.
"""
