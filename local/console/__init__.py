"""A page on this machine to look at the deployed application: `make console`.

What it shows is put together without NiceGUI, in `journeys`, `samples`, `chart` and `guard`; `watch` asks the cloud; `pages` shows it.
NiceGUI is in an environment of its own (`.venv-console`): only `pages` and `__main__` may import it.
"""
