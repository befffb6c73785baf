"""The transparency log's formats, and how what it shows is verified.

They are those of c2sp.org: tlog-tiles, tlog-checkpoint, signed-note,
tlog-cosignature, tlog-witness and tlog-policy, under the hashing of RFC 6962.
Nothing here needs a database or the platform: whoever has this distribution can
check, watch and cosign a log.
"""
