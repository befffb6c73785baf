"""What hot reads are compared with: the same question, answered as most would write it first."""
