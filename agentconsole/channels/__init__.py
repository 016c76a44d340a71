"""One module or package per channel kind. None knows another, the store, the hub or the UI."""
