"""Care of an embedded store's folder: backup, restore, check, rebuild, prune.

These work on the files, as the account that runs the hub, and not through the hub: what cares for a store must work
where no hub starts. Backup and check run beside a hub; restore, rebuild and the removing half of prune take its lock.
"""
