"""The store in a bucket of any S3-compatible service.

One client for all threads of a process: making one takes a third of a second. What the
service answers becomes an ``OSError`` with a sentence in it; keys are in none of them.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, BinaryIO

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    ReadTimeoutError,
)
from storages.backends.s3 import S3Storage

from media_archive.stores.shape import KINDS, PIECE, Damaged, Kept, content_type_of

CONNECT_SECONDS = 5
READ_SECONDS = 20
ATTEMPTS = 3
"""Of each request, the first one included."""
CONNECTIONS = 32
IN_MEMORY = 4 * 1024 * 1024
"""Bytes of an opened file that are held in memory; larger ones go to the disk."""
PAGE = 1000
"""Names of a list that are asked for at once; services give no more."""
FOR_GOOD = "private, max-age=31536000, immutable"

_FULL = {"QuotaExceeded", "XMinioStorageFull", "StorageFull", "InsufficientCapacity"}
_REFUSED = {401, 403}


YOUNG = timedelta(minutes=30)
"""Half of the age that a sweep asks for (``media_archive.orphans``)."""


class S3Store(S3Storage):
    """Files in one bucket. ``endpoint_url`` empty is Amazon's own."""

    def __init__(self, **options: Any) -> None:
        ca_bundle = options.pop("ca_bundle", None)
        style = options.pop("addressing_style", None) or "path"
        super().__init__(
            **options,
            addressing_style=style,
            verify=ca_bundle or True,
            file_overwrite=False,
            client_config=Config(
                s3={"addressing_style": style},
                signature_version="s3v4",
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                max_pool_connections=CONNECTIONS,
                # Newer checksums are Amazon's own, and others answer 400 or 501.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        self._making = threading.Lock()
        self._client: Any = None

    @property
    def client(self) -> Any:
        """The one client, for all threads."""
        if self._client is None:
            with self._making:
                if self._client is None:
                    self._client = self._new_client()
        return self._client

    def keep(self, name: str, path: Path, *, over: bool = False) -> None:
        """Keep a copy of ``path``. A file of that name and size that came there a
        moment ago stays, unless ``over``; whatever else is there is replaced."""
        if not over and self._is_young(name, path.stat().st_size):
            return
        with path.open("rb") as content, told(self, name):
            self.client.put_object(
                Bucket=self.bucket_name,
                Key=name,
                Body=content,
                ContentLength=os.fstat(content.fileno()).st_size,
                # The service refuses what arrives otherwise than it was sent.
                ContentMD5=_md5(content),
                ContentType=content_type_of(name),
                CacheControl=FOR_GOOD,
            )

    def read(self, name: str, start: int, length: int, size: int) -> Iterator[bytes]:
        """``length`` bytes from ``start`` on, in pieces, of a file of ``size``."""
        with told(self, name), contextlib.ExitStack() as closing:
            body, has = self._get(name, f"bytes={start}-{start + length - 1}")
            closing.callback(body.close)
            if has != size:
                raise Damaged(errno.EIO, f"{name} has {has} bytes, not {size}")
            while length > 0 and (piece := body.read(min(PIECE, length))):
                length -= len(piece)
                yield piece

    def open(self, name: str, mode: str = "rb") -> IO[bytes]:
        """A copy to read. Other modes are a ``ValueError``: files are kept whole."""
        if mode != "rb":
            raise ValueError("Files of the store are only read.")
        copy = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  the caller's
        try:
            with told(self, name), contextlib.ExitStack() as closing:
                body, _ = self._get(name)
                closing.callback(body.close)
                while piece := body.read(PIECE):
                    copy.write(piece)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return copy

    def exists(self, name: str) -> bool:
        """Whether it is there."""
        try:
            self.size(name)
        except FileNotFoundError:
            return False
        return True

    def _is_young(self, name: str, size: int) -> bool:
        """What is older is sent once more: a sweep that takes an old file for one
        without a row, before its row is written, leaves a young one alone. So is what
        has another size."""
        try:
            about = self._head(name)
        except FileNotFoundError:
            return False
        if about["ContentLength"] != size:
            return False
        return bool(about["LastModified"] > datetime.now(UTC) - YOUNG)

    def get_modified_time(self, name: str) -> datetime:
        """When it came there, with its zone."""
        modified: datetime = self._head(name)["LastModified"]
        return modified

    def size(self, name: str) -> int:
        """Its bytes."""
        return int(self._head(name)["ContentLength"])

    def delete(self, name: str) -> None:
        """Take it away, if it is there."""
        with contextlib.suppress(FileNotFoundError), told(self, name):
            self.client.delete_object(Bucket=self.bucket_name, Key=name)

    def walk(self) -> Iterator[Kept]:
        """All there is, a page at a time."""
        pages = self.client.get_paginator("list_objects_v2")
        with told(self, "its list"):
            for kind in KINDS:
                for page in pages.paginate(Bucket=self.bucket_name, Prefix=f"{kind}/"):
                    for each in page.get("Contents", ()):
                        yield Kept(each["Key"], each["Size"], each["LastModified"])

    def _head(self, name: str) -> Any:
        with told(self, name):
            return self.client.head_object(Bucket=self.bucket_name, Key=name)

    def _get(self, name: str, part: str | None = None) -> tuple[Any, int]:
        words = {"Range": part} if part else {}
        got = self.client.get_object(Bucket=self.bucket_name, Key=name, **words)
        said = got.get("ContentRange", "").rpartition("/")[2]
        return got["Body"], int(said) if said.isdigit() else got["ContentLength"]

    def _new_client(self) -> Any:
        if not (self.bucket_name and self.access_key and self.secret_key):
            # Else the library would look for keys all over this machine.
            words = "S3_BUCKET, S3_ACCESS_KEY and S3_SECRET_KEY are needed together."
            raise OSError(errno.EINVAL, words)
        session = Session(
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key
        )
        return session.client(
            "s3",
            region_name=self.region_name or "us-east-1",
            endpoint_url=self.endpoint_url or None,
            config=self.client_config,
            verify=self.verify,
        )


@contextlib.contextmanager
def told(store: S3Store, name: str) -> Iterator[None]:
    """What the service says, as an ``OSError``."""
    place = f"bucket {store.bucket_name}"
    try:
        yield
    except ClientError as error:
        raise _as_os_error(error, place, name) from None
    except (ConnectTimeoutError, ReadTimeoutError) as error:
        words = f"The store ({place}) did not answer in time: {type(error).__name__}"
        raise TimeoutError(errno.ETIMEDOUT, words) from None
    except BotoCoreError as error:
        words = f"The store ({place}) cannot be reached: {type(error).__name__}"
        raise ConnectionError(errno.ECONNREFUSED, words) from None


def _as_os_error(error: ClientError, place: str, name: str) -> OSError:
    said = error.response.get("Error", {})
    code = str(said.get("Code", ""))[:60]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "NoSuchBucket":
        return OSError(errno.ENXIO, f"The store has no {place}.")
    if status == 404:
        return FileNotFoundError(errno.ENOENT, f"The store ({place}) has no {name}.")
    if status in _REFUSED:
        words = f"The store refuses our key for {place} ({code or status})."
        return PermissionError(errno.EACCES, words)
    if status == 507 or code in _FULL:
        return OSError(errno.ENOSPC, f"The store ({place}) is full ({code or status}).")
    return OSError(errno.EIO, f"The store ({place}) answered {status} ({code}).")


def _md5(content: BinaryIO) -> str:
    """For the header ``Content-MD5`` (RFC 1864); the file is wound back."""
    digest = hashlib.md5(usedforsecurity=False)
    while piece := content.read(PIECE):
        digest.update(piece)
    content.seek(0)
    return base64.b64encode(digest.digest()).decode()
