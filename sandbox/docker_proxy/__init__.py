"""The only process that holds Docker's socket, and what it lets others ask of it.

Theory of operation: whoever may talk to Docker's daemon is root of the machine. This process
talks to it, and listens on two sockets of its own. On one, run workers and git make sandboxes;
on the other Dagster launches run workers. A connection carries one request. It is read by one
strict reader (`http.py`), looked up in a table of what that socket may ask (`sandboxes.py`,
`launch.py`), and written anew from what was understood: no byte of a caller's request line,
headers or JSON reaches the daemon. A container's description is not filtered but made again
by our own engine's function from a few numbers of it, and must be equal to what was asked
for. Afterwards a socket's callers reach the containers that were made through it, known by a
label which this process writes. The daemon's answers go back as they are.
"""
