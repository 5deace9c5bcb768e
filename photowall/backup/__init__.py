"""Backups of the archive: its rows and its files, into a folder and back.

Layout and promises: docs/howto/back-up-and-restore.md.
"""
