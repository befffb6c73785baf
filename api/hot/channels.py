"""What the database tells of what is kept: migration 0017 has the triggers."""

# Payload: the id of a signal about which something else is answered now; empty: of all.
SIGNALS = "signalbox_signal"
# Payload: the id of a person who may read more or less now; empty: everybody.
ENTITLEMENTS = "signalbox_entitlement"
EVERY = ""
