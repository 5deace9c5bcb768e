"""The REST archive: doors only. What may be asked stands in ``querysets``."""
