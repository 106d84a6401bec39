"""The local cloud, and the commands about a deployed stack."""

import sys
from pathlib import Path

# What the functions import, as pytest and mypy find it: some commands read the event models and the remediations.
sys.path[:0] = [str(Path(__file__).parent.parent / folder) for folder in ("functions", "layers/shared")]
