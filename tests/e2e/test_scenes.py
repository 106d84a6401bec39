"""Every scene of `make demo`, played on the deployed application."""

import pytest
from local.scenes import SCENES, Scene
from local.stage import Stage


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_of_the_demo_ends_with_every_effect_read_back(scene: Scene, stage: Stage) -> None:
    scene(stage)
