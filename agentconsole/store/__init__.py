"""Where the entries are kept: ``memory`` for tests, ``embedded`` for one server. One contract suite for all."""
