"""Stripe: what we ask of it, and what we believe of what it says.

Theory of operation: a webhook is a hint. Its signature is checked, its id is kept in the
inbox, and then the object it speaks of is read anew from Stripe's API: what is applied is
what Stripe says now, so that hints may come twice, late, in any order, or not at all
(the nightly reconciliation reads what changed). The version of the API is pinned in every
request; events carry nothing but ids that we use.
"""
