"""What is remembered: models, migrations, grants, policies, and how to connect."""

# A connection knows the types that were registered before it was opened.
import sql.arrays  # noqa: F401 - registers them
