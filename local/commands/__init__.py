"""The commands that are about a deployed stack, one module each; `every` lists them."""
