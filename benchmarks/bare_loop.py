"""The least that any such service must do: fetch from Google, decode, write a file. Reads batch sizes from stdin,
one a line, and answers each with the seconds of CPU it took."""

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import aiohttp
import orjson
import pybase64
import uvloop
from harness import empty_files


async def main(base_url: str, prompt: str, concurrency: int) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    folder = Path(tempfile.mkdtemp(prefix="nanobanana-bare-"))
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as http:
        for line in sys.stdin:
            before = _cpu_seconds()
            numbers = iter(range(int(line)))
            await asyncio.gather(
                *(
                    _work(http, numbers, base_url=base_url, prompt=prompt, folder=folder)
                    for _ in range(concurrency)
                )
            )
            print(_cpu_seconds() - before, flush=True)
            empty_files(folder)
    shutil.rmtree(folder)


async def _work(
    http: aiohttp.ClientSession, numbers: "iter[int]", *, base_url: str, prompt: str, folder: Path
) -> None:
    body = orjson.dumps(
        {
            "contents": [{"parts": [{"text": prompt}], "role": "user"}],
            "generationConfig": {
                "responseModalities": ["IMAGE"],
                "imageConfig": {"aspectRatio": "1:1", "imageSize": "1K"},
            },
        }
    )
    url = f"{base_url}/v1beta/models/gemini-nano-banana-2.1:generateContent"
    headers = {"x-goog-api-key": "sandbox", "content-type": "application/json", "accept-encoding": "identity"}
    for _ in numbers:
        async with http.post(url, data=body, headers=headers) as response:
            answer = orjson.loads(await response.read())
        parts = answer["candidates"][0]["content"]["parts"]
        data = next(part["inlineData"]["data"] for part in parts if "inlineData" in part)
        file = folder / f"{secrets.token_hex(11)}.png"
        await asyncio.to_thread(file.write_bytes, pybase64.b64decode(data))


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
