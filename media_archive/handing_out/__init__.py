"""Handing out stored files: who may see which, and how HTTP says it (``/media/``)."""
