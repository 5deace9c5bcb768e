"""Our archive in old dialects, and who follows us."""
