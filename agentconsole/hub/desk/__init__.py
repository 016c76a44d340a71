"""The parts of the Desk; ``hub.desk_over_store`` puts them together."""
