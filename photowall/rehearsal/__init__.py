"""Rehearsals: what the road does on the upstream's bad days, before doors open.

The sandbox is told over HTTP to post and to fail, a tag of the rehearsal's own is
followed as any other, and what the archive then holds is compared with what was
posted.
"""
