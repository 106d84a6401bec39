"""The layers: one for each architecture, of which the parameter chooses."""

import re

import pytest
from local.artifacts import MACHINES, budget

from tests.template.test_template import FUNCTIONS, GLOBALS
from tests.template_file import RESOURCES, ROOT, TEMPLATE

LAYERS = {name: item for name, item in RESOURCES.items() if item["Type"] == "AWS::Serverless::LayerVersion"}
SUFFIXES = {"arm64": "Arm64", "x86_64": "X86"}


def test_the_parameter_has_every_architecture_of_lambda_and_the_cheaper_one_by_default() -> None:
    parameter = TEMPLATE["Parameters"]["Architecture"]

    assert set(parameter["AllowedValues"]) == set(MACHINES) == set(SUFFIXES)
    assert parameter["Default"] == "arm64"
    assert GLOBALS["Architectures"] == [{"Ref": "Architecture"}]
    assert not [name for name, item in FUNCTIONS.items() if "Architectures" in item["Properties"]]


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_for_one_architecture_and_the_runtime(name: str) -> None:
    properties = LAYERS[name]["Properties"]
    [architecture] = properties["CompatibleArchitectures"]

    assert name.endswith(f"Layer{SUFFIXES[architecture]}")
    assert LAYERS[name]["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": architecture}
    assert LAYERS[name]["Condition"].endswith(SUFFIXES[architecture])
    assert properties["CompatibleRuntimes"] == [GLOBALS["Runtime"]]
    assert (ROOT / "layers" / name.split("Layer")[0].lower() / "requirements.txt").exists()


def test_the_layers_of_both_architectures_differ_only_in_it() -> None:
    for name, layer in LAYERS.items():
        other = LAYERS[name.replace("Arm64", "X86")]["Properties"]

        assert layer["Properties"] | {"CompatibleArchitectures": []} == other | {"CompatibleArchitectures": []}


def test_a_function_gets_the_layers_of_its_architecture() -> None:
    for item in (GLOBALS, *(item["Properties"] for item in FUNCTIONS.values())):
        for layer in item.get("Layers", []):
            condition, arm64, x86 = layer["Fn::If"]

            assert condition == "Arm64"
            assert arm64["Ref"] in LAYERS
            assert x86["Ref"] == arm64["Ref"].replace("Arm64", "X86")


def test_packages_are_only_in_layers() -> None:
    """A function with machine code of its own would be built for one architecture."""
    assert not list((ROOT / "functions").rglob("requirements.*"))


def test_the_build_is_for_the_runtimes_python() -> None:
    [version] = re.findall(r"^PYTHON_VERSION \?= (\S+)$", (ROOT / "build.mk").read_text(), re.MULTILINE)

    assert GLOBALS["Runtime"] == f"python{version}"


def test_the_budget_names_every_layer_and_nothing_that_is_not_built() -> None:
    named = set(budget()) - {"function"}

    assert set(LAYERS) <= named <= LAYERS.keys() | FUNCTIONS.keys()
