"""The agent's own files: attachments that go out, those that came in, and what they say as text."""
