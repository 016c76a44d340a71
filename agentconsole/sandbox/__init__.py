"""The demo's world: loopback servers that are strict enough to test against."""
