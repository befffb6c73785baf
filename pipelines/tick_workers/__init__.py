"""Shards of a tick, spread over workers on several machines.

Theory of operation: the tick's run hands each shard to a queue in Redis (dagster-celery),
and whichever worker is free takes it. While it is at work a worker holds a lease, which
it renews every few seconds. A shard that has neither lease nor result nor a place in the
queue is lost (its worker or the queue is gone) and is handed out again. So nobody needs to
know who died, nor why; and a worker that was only cut off and comes back does no harm,
because a record that is there stands: see `assets/forecasts/record.py`.

Deliberately absent: late acknowledgement and Redis' visibility time-out, which know only
after a fixed time, too short for a slow shard and too long for a deadline, and nothing of
a queue that was lost.
"""
