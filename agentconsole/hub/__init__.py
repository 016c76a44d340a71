"""The process that holds the accounts, the store and the outbox and goes on when everybody logs out."""
