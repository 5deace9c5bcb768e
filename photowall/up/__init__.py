"""`manage.py up` and `manage.py test`: everything around Photowall on one machine.

What runs before the packages are installed (`environment` and what it imports) uses
the standard library alone; so does the supervisor, to stay small.
"""
