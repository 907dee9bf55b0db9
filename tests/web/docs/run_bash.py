"""Runs the examples of all pages in one shell, those of a page going on from each other, and tells how each ended."""

import json
import shlex
import subprocess
import sys
from itertools import groupby
from pathlib import Path

todo = json.loads(Path("todo.json").read_text())
script, place = ["set -o pipefail"], 0
for folder, examples in groupby(todo, key=lambda one: one["folder"]):
    script += ["(", f"cd {shlex.quote(folder)}"]
    for one in examples:
        script += [f"export {name}={shlex.quote(value)}" for name, value in one["environment"].items()]
        script += ["{", one["text"], f"}} > {place}.out; echo $? > {place}.status"]
        one["place"] = place
        place += 1
    script.append(")")
subprocess.run(["bash", "-c", "\n".join(script)], check=True)
json.dump(
    [
        {
            "status": int(Path(one["folder"], f"{one['place']}.status").read_text()),
            "output": Path(one["folder"], f"{one['place']}.out").read_text(),
        }
        for one in todo
    ],
    sys.stdout,
)
