"""What stands beside a number so that it can be believed: intervals, tries, records, misses."""
