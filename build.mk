# What the functions' and the layers' Makefiles share: packages for the template's runtime on any host, without a container.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# The template's runtime. The local cloud overrides it, and makes PYTHON_PLATFORM empty: it runs the functions on the
# host's own Python.
PYTHON_VERSION ?= 3.13

# $(call install,<requirements file>,<folder>): for PYTHON_PLATFORM, else for the host.
install = uv pip install --quiet --require-hashes --no-deps --only-binary :all: --no-compile --link-mode copy \
	--python-version $(PYTHON_VERSION) $(if $(PYTHON_PLATFORM),--python-platform $(PYTHON_PLATFORM)) \
	--target "$(2)" -r "$(1)"

# Prints the path of that Python, which uv finds on this machine or fetches into its own folder. pyenv has a command for
# each version that it installed, which fails unless the version is chosen, and then uv looks no further; so it is chosen.
# UV_PYTHON_DOWNLOADS=never forbids to fetch.
export PYENV_VERSION := $(PYTHON_VERSION)
python = uv python find --no-python-downloads $(PYTHON_VERSION) 2>/dev/null || \
	{ UV_HTTP_RETRIES=$${UV_HTTP_RETRIES:-1} uv python install --quiet --no-bin $(PYTHON_VERSION) >&2 && \
	uv python find --no-python-downloads --managed-python $(PYTHON_VERSION); }

# $(call finish,<folder>): leave out what a function does not need, and add bytecode: without it Lambda, whose file system
# is read-only, compiles every module at each cold start. Its validity is not checked against the sources' times, because a
# zip file does not keep them; and it does not name the folder of the build, so that it is the same wherever it is built.
# Of a package's own data METADATA stays, by which scanners know it, and RECORD, by which `python -m local artifacts` does.
# SAM CLI shows only what is written to stdout.
unneeded = -name bin -o -name tests -o -name __pycache__ -o -name '*.pyi' -o -name py.typed -o -name '*.c' -o -name '*.js' -o -name '*.css'
finish = find "$(1)" -depth \( $(unneeded) -o -name .lock \) -exec rm -rf {} + && \
	find "$(1)" -path '*.dist-info/*' ! -type d ! -name METADATA ! -name RECORD -delete && \
	find "$(1)" -type d -empty -delete && \
	if python=$$($(python)); then \
	  "$$python" -m compileall -q --invalidation-mode unchecked-hash -s "$(1)" "$(1)"; \
	else echo "There is no Python $(PYTHON_VERSION) on this machine, and uv cannot fetch it: built without bytecode, which works and starts slower"; fi
