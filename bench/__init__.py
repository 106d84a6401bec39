"""What docs/performance.md comes from. Nothing here is deployed."""
