"""From any text to text that is safe to show, and from codes to sentences. Pure: no I/O, no clock, no randomness."""
