"""What pack.sh made, unpacked by Python alone: pack.py ARCHIVE FOLDER, nothing where it is there already."""

import hashlib
import pathlib
import shutil
import sys
import tarfile

STAMP = "archive.sha256"


def digest(archive):
    with open(archive, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp(archive, folder):
    """Says that a folder has what an archive has."""
    (pathlib.Path(folder) / STAMP).write_text(digest(archive))


def unpack(archive, folder):
    archive, folder = pathlib.Path(archive), pathlib.Path(folder)
    if not archive.exists():
        if (folder / "jre").exists():
            return
        raise SystemExit(f"bench/gpu: there is no {archive.name} in {archive.parent}, which bench/gpu/pack.sh makes (git ignores it: it does not travel by itself)")
    if (folder / STAMP).exists() and (folder / STAMP).read_text() == digest(archive):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(archive, "r:xz") as tar:
        tar.extractall(folder, filter="tar")
    stamp(archive, folder)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "stamp":
        stamp(sys.argv[2], sys.argv[3])
    elif len(sys.argv) == 3:
        unpack(sys.argv[1], sys.argv[2])
    else:
        raise SystemExit(__doc__)
