"""``python -m agentconsole.files.picture FILE TEXT``: draws a picture and waits for a line end.

It has the terminal to itself and bounded memory, because the picture is a stranger's. Exit codes: 0 shown, 1 it is no
picture that can be shown, 3 the extra ``images`` is not installed.
"""

from __future__ import annotations

import contextlib
import logging
import resource
import sys
import warnings
from typing import Final

MEMORY: Final = 1_500_000_000
SECONDS: Final = 20
MOST_PIXELS: Final = 60_000_000
NO_LIBRARY: Final = 3


def main(path: str, told: str) -> int:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()  # what the library could not ask the terminal would stand beside the picture
    try:
        from PIL import Image as Pictures
        from rich.console import Console
        from textual_image.renderable import Image
    except ImportError:
        return NO_LIBRARY
    Pictures.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Pictures.DecompressionBombWarning)
    console = Console()
    try:
        with Pictures.open(path) as picture:
            picture.seek(0)
            picture.thumbnail((1600, 1200))
            console.print(Image(picture.convert("RGB"), width="auto", height=max(console.height - 3, 5)))
    except Exception:
        # Whatever a decoder raises: the picture cannot be shown.
        return 1
    console.print(told, markup=False)
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        sys.stdin.readline()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
