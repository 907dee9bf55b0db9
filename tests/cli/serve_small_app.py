"""`nanobanana serve` with an application of the tests. Arguments: FACTORY WORKERS [PORT]."""

import sys
import time

from nanobanana.cli.configuration import load_settings, one_sentence
from nanobanana.cli.service import run_service

_, factory, workers, *port = sys.argv
with one_sentence():
    run_service(
        load_settings(port=int(port[0]) if port else 0),
        workers=int(workers),
        began=time.monotonic(),
        application=f"tests.cli.small_app:{factory}",
    )
