"""A person's account: whether it is in good standing, its export, and its end."""
