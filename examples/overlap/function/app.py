import os
import subprocess

import which


def handler(event, context):
    return {
        "module": which.NAME,
        "command": subprocess.run(["whoami-layer"], capture_output=True, text=True, check=True).stdout.strip(),
        "merged": sorted(os.listdir("/opt/python/shared")),
    }
