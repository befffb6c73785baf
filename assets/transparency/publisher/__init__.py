"""The process that makes the log public: tree, checkpoint, cosignatures, quorum.

Theory of operation: leaves are committed by those who write what they speak of.
The publisher hears of them, and in one transaction stores the tree's new tiles
and a checkpoint that the signer has signed. Then it shows the checkpoint to the
cosigners of the policy, stores what they sign, and, once the policy's quorum is
there, when that was: the evidence time of every leaf below. Killed at any point it
goes on from what is stored: the signer may have signed one size further than the
database knows, and is asked what it was. It may write tiles and signatures and
nothing else, and it reads no forecast.
"""
