"""The program that opens and decodes pictures, in a process of its own.

Its input is hostile, so it has nothing to lose: no database, no settings, no secrets
in its environment, limits on memory, time and files (``confinement``). It imports the
standard library, Pillow and pi-heif, never Django; nothing else here imports an
imaging library. ``media_archive.imaging`` starts it, asks it and ends it.
"""
