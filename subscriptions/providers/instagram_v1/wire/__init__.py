"""The format of Instagram API v1, both ways, pure: no Django, no network, no clock.

What came in is hostile and sixteen years old: every reader here is total. It
returns ``None`` for what it cannot use and leaves the neighbours alone; the only
errors are ``NotOurFormat`` (envelope) and ``BadSignature`` (signatures).
"""
