# What the functions' and the layer's Makefiles share: packages for the template's runtime on any host, without a container.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# The template's runtime. The local cloud overrides both: it runs the functions on the host's own Python.
PYTHON_VERSION ?= 3.13
PYTHON_PLATFORM ?= x86_64-manylinux_2_34

# $(call install,<requirements file>,<folder>)
install = uv pip install --quiet --require-hashes --no-deps --only-binary :all: --no-compile --link-mode copy \
	--python-version $(PYTHON_VERSION) $(if $(PYTHON_PLATFORM),--python-platform $(PYTHON_PLATFORM)) \
	--target "$(2)" -r "$(1)"

# $(call finish,<folder>): leave out what a function does not need, and add bytecode, which halves the start-up CPU. Its
# validity is not checked against the sources' times, because a zip file does not keep them. Without that Python on the
# host the artifact is whole but starts slower.
finish = rm -rf "$(1)/bin" "$(1)/.lock" && find "$(1)" -depth \( -name '*.pyi' -o -name '__pycache__' \) -exec rm -rf {} + && \
	if python=$$(uv python find --no-python-downloads $(PYTHON_VERSION) 2>/dev/null); then \
	  "$$python" -m compileall -q --invalidation-mode unchecked-hash "$(1)"; \
	else echo "No Python $(PYTHON_VERSION) on this machine: built without bytecode" >&2; fi
