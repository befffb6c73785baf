"""`python -m sandbox.git`: the git process."""

import uvicorn

from sandbox.git.server import create_app
from sandbox.git.settings import GitSettings, signer_of
from sql import logs, traces
from sql.configuration import read_settings
from sql.schema import end_on_other_schema

if __name__ == "__main__":
    settings = read_settings(GitSettings)
    logs.begin("git")
    traces.begin("git")
    signer_of(settings)  # a bad key is named at the start, not at the first push
    end_on_other_schema(settings.database_url)
    uvicorn.run(
        create_app(settings),
        host=settings.git_host,
        port=settings.git_port,
        timeout_graceful_shutdown=5,
        log_config=None,  # sql/logs.py has it
        # uvloop leaves the children of a process with `pass_fds` the ends of its pipes: a
        # killed git would then not be seen to have ended while its hook lives.
        loop="asyncio",
    )
