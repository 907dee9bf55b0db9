"""What GET /images costs: throughput and CPU milliseconds of one web process beside nginx on the same files, by turns.

    ./nb bench serve_images [--seconds 8] [--rounds 5] [--concurrency 100] [--kilobytes 200] [--beside CHECKOUT]

The load comes from a process of its own: wrk where there is one, else a client of ours. `--beside` measures the service
of another checkout in the same rounds.
"""

import argparse
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from harness import Service, cpu_seconds_of, data_folder, free_port, machine, running_sandbox, start_service
from rich.console import Console
from rich.progress import track
from rich.table import Table

from nanobanana.domain.images.names import new_name
from nanobanana.kit.ids import new_id

_FILES = 500

_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    types {{ image/png png; }}
    {temporary}
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location /images/ {{ alias {images}/; add_header Cache-Control "public, max-age=86400, immutable"; }}
    }}
}}
"""

_WRK = """
local paths, number = {{}}, 0
for path in io.lines("{paths}") do paths[#paths + 1] = path end
request = function()
    number = number + 1
    return wrk.format("GET", paths[number % #paths + 1])
end
done = function(summary)
    io.write(string.format("%d %f", summary.requests, summary.duration / 1000000))
end
"""


@dataclass
class Server:
    name: str
    url: str
    cpu_seconds: Callable[[], float]
    requests: int = 0
    rates: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        data_dir = stack.enter_context(data_folder())
        paths = _make_pictures(data_dir / "images", options.kilobytes)
        list_of_paths = data_dir.with_name("paths.txt")
        list_of_paths.write_text("\n".join(paths))
        google = stack.enter_context(running_sandbox())
        servers = [stack.enter_context(_service("web process", data_dir, google))]
        if options.beside:
            other = stack.enter_context(data_folder())
            other.mkdir()
            (other / "images").symlink_to(data_dir / "images")
            source = {"PYTHONPATH": str(Path(options.beside, "src").resolve())}
            servers.append(stack.enter_context(_service(options.beside, other, google, **source)))
        if shutil.which("nginx"):
            servers.append(stack.enter_context(_nginx(data_dir)))
        else:
            print("There is no nginx on this machine to stand beside: apt-get install nginx.")
        for server in servers:
            _load(server.url, list_of_paths, options)
        for _ in track(range(options.rounds), description=f"{options.rounds} rounds"):
            for server in servers:
                _measure(server, list_of_paths, options)
        _report(servers, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=8, help="a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--kilobytes", type=int, default=200, help="of each picture")
    parser.add_argument("--beside", metavar="CHECKOUT", help="another checkout, to compare with")
    return parser.parse_args()


def _make_pictures(folder: Path, kilobytes: int) -> list[str]:
    paths = []
    for _ in range(_FILES):
        name = f"{new_name(new_id('gen'))}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(secrets.token_bytes(kilobytes * 1000))
        paths.append(f"/images/{name}")
    return paths


@contextmanager
def _service(name: str, data_dir: Path, google: str, **settings: str) -> Iterator[Server]:
    port = free_port()
    process = start_service(data_dir, port=port, google=google, workers=1, **settings)
    service = Service(url=f"http://127.0.0.1:{port}", key="", data_dir=data_dir, supervisor=process.pid)
    try:
        yield Server(name, service.url, lambda: service.cpu_seconds()["web"])
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def _nginx(data_dir: Path) -> Iterator[Server]:
    folder, port = data_dir.with_name("nginx"), free_port()
    folder.mkdir()
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _NGINX.format(folder=folder, temporary=temporary, port=port, images=data_dir / "images")
    )
    process = subprocess.Popen(["nginx", "-c", configuration, "-e", folder / "start.log"])
    try:
        _wait_until_listening(port)
        yield Server("nginx", f"http://127.0.0.1:{port}", lambda: cpu_seconds_of(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _wait_until_listening(port: int) -> None:
    for _ in range(100):
        try:
            urlopen(f"http://127.0.0.1:{port}/images/")
        except OSError as error:
            if getattr(error, "code", None):  # it answers
                return
            time.sleep(0.05)
    sys.exit("nginx does not start")


def _measure(server: Server, paths: Path, options: argparse.Namespace) -> None:
    before = server.cpu_seconds()
    requests, seconds = _load(server.url, paths, options)
    server.requests += requests
    server.rates.append(requests / seconds)
    server.cpu_ms.append((server.cpu_seconds() - before) * 1000 / requests)


def _load(url: str, paths: Path, options: argparse.Namespace) -> tuple[int, float]:
    """How many requests were answered, in how many seconds."""
    if shutil.which("wrk"):
        script = paths.with_suffix(".lua")
        script.write_text(_WRK.format(paths=paths))
        command = ["wrk", "-t1", f"-c{options.concurrency}", f"-d{options.seconds}s", "-s", script, url]
    else:
        numbers = [str(options.seconds), str(options.concurrency)]
        command = [sys.executable, Path(__file__).with_name("get_images.py"), url, paths, *numbers]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "Non-2xx" in done.stdout:
        sys.exit(f"{done.stdout}{done.stderr}")
    requests, seconds = done.stdout.splitlines()[-1].split()
    return int(requests), float(seconds)


def _report(servers: list[Server], options: argparse.Namespace) -> None:
    table = Table(
        title=f"GET of {options.kilobytes} kB, {options.concurrency} at once, medians of {options.rounds} rounds ({machine()})"
    )
    columns = (
        "",
        "requests",
        "a second",
        "MB a second",
        "from",
        "to",
        "CPU ms each",
        "from",
        "to",
        "CPU to nginx's",
    )
    for column in columns:
        table.add_column(column, justify="right")
    least = statistics.median(servers[-1].cpu_ms)
    for server in servers:
        rate, cpu_ms = statistics.median(server.rates), statistics.median(server.cpu_ms)
        table.add_row(
            server.name,
            f"{server.requests:,}",
            f"{rate:,.0f}",
            f"{rate * options.kilobytes / 1000:,.0f}",
            f"{min(server.rates):,.0f}",
            f"{max(server.rates):,.0f}",
            f"{cpu_ms:.3f}",
            f"{min(server.cpu_ms):.3f}",
            f"{max(server.cpu_ms):.3f}",
            f"{cpu_ms / least:.1f}" if servers[-1].name == "nginx" else "",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
