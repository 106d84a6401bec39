"""What the application did in a month, and what it saved and cost: read, summed up, and shown."""
