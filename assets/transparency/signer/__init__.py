"""The process that holds the log's key, and nothing else.

Theory of operation: a log that signs two histories can be caught, but only by
those who compare; so its key is kept apart from whoever could be made to ask for
a second one. The signer has no database and no network, only a unix socket, its
keys and a state file: size and root of what it signed last. It signs what is
shown, by a consistency proof, to extend that, and writes the new state to disk
before it answers. So whatever happens to the database, there is one history
under this key. What it cannot tell it refuses, and says what to do.
"""
