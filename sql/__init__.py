"""What is remembered: models, migrations, grants, policies, and how to connect."""
