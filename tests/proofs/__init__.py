"""Proofs of what a person who runs this in production wants to know.

Each module here is one proof: its docstring says what is proved and how, its tests prove it, and the rows that they report
make the tables of docs/proofs.md, which `make prove` writes.
"""
