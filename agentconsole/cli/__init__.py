"""The commands: arguments, one call on the Desk, exit code. No rule of the trade is decided here."""
