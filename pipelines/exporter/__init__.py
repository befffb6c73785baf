"""Figures of the whole platform, for Prometheus.

Theory of operation: processes that serve requests count what they do, and are asked themselves.
What no process can know of itself (a slot nobody ran, a process that is gone) is read here from
what is left behind: rows, heartbeats, files, ports. A reading is kept for some seconds, one is made
at a time, and each statement has a time limit: asking often costs the database nothing. A part that
cannot be read leaves its figures out and says so; the others stand.
Labels are bounded: what a person could choose freely (reasons, jobs, versions) is cut to what is
known or to a number.
"""
