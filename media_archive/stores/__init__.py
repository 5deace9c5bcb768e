"""Where files are: Django storages that keep whole files under names that say what is
in them. Callers use ``media_archive.files``."""
