# Two commands on a fresh machine: `make demo` and `make test`. Everything else is a one-line call of the program.
PY ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# uv does not read pip's settings: hand it the folder of local files (if any), so that a CPU build of torch there is found.
export UV_FIND_LINKS ?= $(or $(PIP_FIND_LINKS),$(shell $(PY) -m pip config get global.find-links 2>/dev/null))

.PHONY: setup demo test check clean
setup: $(VENV)/.ok
$(VENV)/.ok: pyproject.toml constraints.txt
	$(PY) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check uv \
	 && $(BIN)/uv pip install -q --python $(VENV) -c constraints.txt -e '.[dev]' \
	 || $(BIN)/python -m pip install -q --no-compile -c constraints.txt -e '.[dev]'
	$(BIN)/python -c "import torch"
	touch $@

demo: setup
	$(BIN)/python examples/demo.py

test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto

check: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/ty check src
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) runs data build dist
