"""The log as everybody may read it: checkpoints, tiles, proofs, evidence."""
