"""The program inside the sandbox: loads `app.py` and answers slots.

Theory of operation: one process, one thread of ours, frames on two descriptors.
The protocol leaves descriptors 0 and 1 before any provider code is loaded, so
that a `print` is a line of the log and never a broken frame. Nothing here
judges an answer: the host does, because this process is the model's to change.
"""
