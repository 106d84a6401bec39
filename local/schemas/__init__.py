"""The schemas of the events that the application publishes, or whose contract it owns, made from their models.

`published` lists the events, `openapi` writes what the schema registry takes, `compatibility` compares two versions, `store`
keeps them in schemas/ and in the template, `bindings` makes Python models of them for other applications.
"""
