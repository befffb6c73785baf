"""What one push may cost, and what git itself may take; docs/operations/publishing.md lists them.

What an operator may want otherwise is in `settings.py`.
"""

import resource

MB = 1024 * 1024

# Of a push.
MAX_REFS = 2
MAX_COMMAND_BYTES = 512 * 1024
MAX_PACK_BYTES = 25 * MB
MAX_BODY_BYTES = MAX_PACK_BYTES + MB
MAX_COMMITS_PER_PUSH = 5_000
# Of a repository, and of a provider.
MAX_COMMITS = 10_000
MAX_REPOSITORY_BYTES = 500 * MB
MAX_REPOSITORIES = 200
# At once.
MAX_PUSHES = 64
MAX_PUSHES_PER_PROVIDER = 8
# Of wrong keys from one address, before it is told to wait.
MAX_WRONG_KEYS = 20
WRONG_KEYS_SECONDS = 60

# Of each process of git's own: index-pack, unpack-objects, receive-pack, upload-pack.
GIT_MEMORY_BYTES = 512 * MB
GIT_CPU_SECONDS = 60
GIT_FILE_BYTES = 64 * MB

# Soft limits, so that the hook can lift them for what it starts itself. There is no limit on
# processes: the kernel counts them per user, and git starts few, with one thread each.
GIT_LIMITS = (
    "prlimit",
    f"--as={GIT_MEMORY_BYTES}:",
    f"--cpu={GIT_CPU_SECONDS}:",
    f"--fsize={GIT_FILE_BYTES}:",
    "--core=0:",
)


def lift() -> None:
    """Take git's limits off this process, which is no longer git."""
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (hard, hard))
