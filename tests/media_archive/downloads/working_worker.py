"""A worker as a process of its own, to be killed: works off what is due, then ends."""

from __future__ import annotations

import django


def main() -> None:
    django.setup()
    from media_archive import downloads

    downloads.work_off()


if __name__ == "__main__":
    main()
