"""The proofs that need the deployed application."""
