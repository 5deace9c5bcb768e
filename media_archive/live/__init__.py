"""The live page's server side: journal entries to viewers."""
