"""Runs examples one after another, as programs of their own would, and tells how each ended."""

import contextlib
import io
import json
import os
import sys
import traceback
from pathlib import Path

outcomes = []
for one in json.loads(Path("todo.json").read_text()):
    os.chdir(one["folder"])
    os.environ.update(one["environment"])
    output, status = io.StringIO(), 0
    with contextlib.redirect_stdout(output):
        try:
            exec(compile(one["text"], "example", "exec"), {"__name__": "__main__"})
        except BaseException:  # noqa: BLE001
            status = 1
            output.write(traceback.format_exc())
    outcomes.append({"status": status, "output": output.getvalue()})
json.dump(outcomes, sys.stdout)
