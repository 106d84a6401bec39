import os
import resource
import subprocess
import sys

import pytest

from image_resize.memory import FOR_CODE, FOR_OBJECTS, at_most, room

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Only Linux limits memory by RLIMIT_DATA")


def test_what_does_not_fit_fails_and_the_limit_goes_with_the_block():
    before = resource.getrlimit(resource.RLIMIT_DATA)

    with at_most(4096):
        assert len(bytearray(2**20)) == 2**20
        with pytest.raises(MemoryError):
            bytearray(5 * 2**30)

    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_the_limit_goes_with_an_error_too():
    before = resource.getrlimit(resource.RLIMIT_DATA)

    with pytest.raises(KeyError), at_most(4096):
        raise KeyError

    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_picture_has_the_room_that_code_and_objects_leave():
    assert room(2048) == (2048 - FOR_CODE - FOR_OBJECTS) * 2**20
    assert room(128) == 0
    assert room(None) is None


BEFORE_A_PICTURE = """
import time
import image_resize.handler
from image_resize.derivatives import at_once
at_once(lambda _: time.sleep(0.1), range(10))
[line] = [line for line in open("/proc/self/status") if line.startswith("VmData:")]
print(line.split()[1])
"""


def test_what_is_set_aside_for_objects_holds_those_and_the_threads_that_looked_the_derivatives_up():
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = subprocess.run([sys.executable, "-c", BEFORE_A_PICTURE], env=environment, stdout=subprocess.PIPE, check=True)

    assert int(done.stdout) / 1024 <= FOR_OBJECTS


def test_without_a_size_there_is_no_limit():
    before = resource.getrlimit(resource.RLIMIT_DATA)

    with at_most(None):
        assert resource.getrlimit(resource.RLIMIT_DATA) == before
