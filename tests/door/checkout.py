"""A small checkout with the real door, whose locks name a few packages made here: no index is asked for anything."""

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAIN = 'import sys, tiny\nprint("tiny", tiny.VERSION, sys.argv[1:])\n'
PYTEST = 'import sys\nprint("pytest", sys.argv[1:])\n'


class Checkout:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        # Beside it: pip takes a space in the path for the start of another one.
        self.wheels = directory.parent / f"wheels-of-{directory.name.replace(' ', '-')}"
        self.wheels.mkdir()
        (directory / "nb").write_bytes((ROOT / "nb").read_bytes())
        package = directory / "src/nanobanana/cli"
        package.mkdir(parents=True)
        for init in (package / "__init__.py", package.parent / "__init__.py"):
            init.touch()
        (package / "main.py").write_text(MAIN)
        self.lock("1.0")

    def lock(self, version: str) -> None:
        """Pins `tiny` to a version, as the real locks pin; the development lock has a `pytest` besides."""
        tiny = f"tiny=={version} --hash=sha256:{self._wheel('tiny', version, f'VERSION = {version!r}')}\n"
        pytest = f"pytest==1.0 --hash=sha256:{self._wheel('pytest', '1.0', PYTEST)}\n"
        (self.directory / "requirements.lock").write_text(tiny)
        (self.directory / "requirements-dev.lock").write_text(tiny + pytest)

    def nb(self, *arguments: str, uv: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run([sys.executable, str(self.directory / "nb"), *arguments], uv=uv)

    def run(self, command: Sequence[str], *, uv: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment(uv=uv), capture_output=True, text=True, check=False
        )

    def environment(self, *, uv: bool = True) -> dict[str, str]:
        bin_dir = self.directory / "path"
        bin_dir.mkdir(exist_ok=True)
        if uv and not (bin_dir / "uv").exists():
            (bin_dir / "uv").symlink_to(Path(sys.executable).parent / "uv")
        return {
            "PATH": f"{bin_dir}:/usr/bin:/bin" if uv else "/usr/bin:/bin",
            "HOME": str(self.directory),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "UV_CONFIG_FILE": str(self._uv_config()),
            **{name: os.environ[name] for name in ("TMPDIR",) if name in os.environ},
        }

    def _uv_config(self) -> Path:
        path = self.wheels / "uv.toml"
        path.write_text(f'no-index = true\nfind-links = ["{self.wheels}"]\n')
        return path

    def _wheel(self, name: str, version: str, code: str) -> str:
        """Makes a wheel of one module; gives its hash."""
        path = self.wheels / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        files = {
            f"{name}.py": code,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{file},sha256={_record_hash(text)},{len(text)}\n" for file, text in files.items())
        with zipfile.ZipFile(path, "w") as wheel:
            for file, text in (*files.items(), (f"{info}/RECORD", f"{record}{info}/RECORD,,\n")):
                wheel.writestr(zipfile.ZipInfo(file), text)
        return hashlib.sha256(path.read_bytes()).hexdigest()


def _record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
