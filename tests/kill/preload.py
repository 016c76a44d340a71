"""What every forked hub needs, imported once."""

import tests.kill.forked  # noqa: F401
