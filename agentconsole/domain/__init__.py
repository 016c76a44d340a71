"""What the trade is about. Pure: no I/O, no clock, no randomness; the same arguments give the same answer."""
