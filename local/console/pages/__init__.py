"""The console's pages, in NiceGUI. Whatever an event contains is put into labels and editors, which show it as text, never into HTML."""
