"""Instagram API v1 (2010 - 2020) and everything that still speaks it."""
