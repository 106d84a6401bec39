"""Starting the page."""

import socket

import pytest
from local.cloud import LocalError


def test_a_port_that_is_taken_is_said_with_the_remedy() -> None:
    pytest.importorskip("nicegui", reason="nicegui is only in .venv-browser: make browser")
    from local.console.__main__ import check_free

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalError, match=f"Port {port} is in use"):
            check_free(port)

    check_free(port)
