"""The program that opens and decodes pictures, in a process of its own.

Its input is hostile, so little is within its reach: no database, no settings, no
secrets in its environment, limits on memory, time and files (``confinement``); on a
Linux with Landlock no look into other processes, no programs, no TCP (``landlock``).
It is no sandbox: it runs as the same user, and can read and write that user's files.
It imports the standard library, Pillow and pi-heif, never Django; nothing else here
imports an imaging library. ``media_archive.imaging`` starts it, asks it and ends it.
"""
