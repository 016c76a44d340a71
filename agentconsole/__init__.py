"""One terminal for every customer, whatever channel they write on."""

__version__ = "0.1.0"
