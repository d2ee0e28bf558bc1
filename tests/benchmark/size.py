"""How much is shipped: the layer and the code as zips, against the naive package."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmark import layer

AT_MOST = 0.12


@dataclass(frozen=True)
class Size:
    """Megabytes (10^6 bytes) of the zips."""

    naive: float
    ours: float
    ours_compiled: float
    unpacked: float

    @property
    def ratio(self) -> float:
        """Without compiled files, against the naive package without them."""
        return self.ours / self.naive


def measure() -> Size:
    """Zip everything as Lambda gets it."""
    built, code, naive = layer.built() / "python", layer.functions(), layer.naive()
    return Size(
        naive=_zipped(naive, compiled=False),
        ours=_zipped(built, compiled=False) + _zipped(code, compiled=False),
        ours_compiled=_zipped(built, compiled=True) + _zipped(code, compiled=True),
        unpacked=sum(
            file.stat().st_size for place in (built, code) for file in place.rglob("*") if file.is_file()
        )
        / 1e6,
    )


def _zipped(folder: Path, *, compiled: bool) -> float:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and (compiled or file.suffix != ".pyc"):
                archive.write(file, file.relative_to(folder))
    return len(packed.getvalue()) / 1e6
