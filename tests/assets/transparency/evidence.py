"""Evidence for one signal, put together from the database as it is."""

from assets.transparency.publisher.publish import newest
from assets.transparency.publisher.tree import stored_tree
from signalbox.log.bundle import build_bundle
from signalbox.log.verify import Terms, verify_bundle
from sql.roles import LOG

LEAVES = "select index, body from transparency.leaf where signal_id = %s order by index"
OPENINGS = """
select r.leaf_index, o.salt, o.payload from forecast.opening o
join forecast.slot_record r on r.id = o.slot_record_id
join registry.version v on v.id = r.version_id where v.signal_id = %s
"""
IMAGES = "select version, image_digest from registry.version where signal_id = %s"
DATING = """
select c.note from transparency.checkpoint c
join transparency.quorum q on q.checkpoint_id = c.id order by c.size
"""


def evidence(database, name, known=()):
    """The bundle of ada/`name`."""
    with database.connect(LOG) as log, database.superuser() as connection:
        signal_id = connection.execute(
            "select id from registry.signal where name = %s", [name]
        ).fetchone()[0]
        signed = newest(log)
        return build_bundle(
            f"ada/{name}",
            signed.note.encode(),
            connection.execute(LEAVES, [signal_id]).fetchall(),
            stored_tree(log, signed.size),
            dating=[note for (note,) in connection.execute(DATING)],
            openings={
                index: (salt, payload)
                for index, salt, payload in connection.execute(OPENINGS, [signal_id])
                if index is not None
            },
            images=dict(connection.execute(IMAGES, [signal_id]).fetchall()),
            known=known,
        )


def verified(database, name, policy, now, **terms):
    """What a subscriber finds; raises as `verify_bundle` does."""
    terms = Terms(policy, int(now.timestamp()), **{"max_age": None, **terms})
    return verify_bundle(evidence(database, name), terms)
