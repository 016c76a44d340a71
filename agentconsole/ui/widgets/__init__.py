"""Widgets that draw what the screen needs and do no I/O."""
