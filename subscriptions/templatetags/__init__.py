"""Tags for templates of the upper floor."""
