"""The console: the Textual app. It sees the Desk, the domain and the text package only."""
