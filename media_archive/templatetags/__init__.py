"""Tags for templates of the archive."""
