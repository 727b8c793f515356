# The two commands are `make app` and `make test`; the rest serves them.
PYTHON ?= python3
PORT ?= 8501
HOST ?= 127.0.0.1
BIN := .venv/bin

.PHONY: app test check lock benchmarks sample_data clean

app: .venv/app
	@$(BIN)/samclr weights mobile_sam || echo "The app starts all the same: the other pages work without SAM."
	$(BIN)/samclr app --port $(PORT) --host $(HOST)

test: .venv/dev
	@$(BIN)/samclr weights mobile_sam || echo "Tests that need SAM's weights will be skipped."
	$(BIN)/python -m pytest $(TESTS)

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Stamps: a second start installs nothing unless the requirements changed.
.venv/app: requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; name it with PYTHON=')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --requirement requirements.txt --constraint requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

.venv/dev: .venv/app requirements-dev.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt --constraint requirements.lock
	@touch $@

# The lock is made by uv from the two requirement files, and holds names and versions only.
lock: .venv/dev
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --no-annotate --no-emit-index-url --no-header \
		--python-version 3.11 requirements-dev.txt --output-file requirements.lock

clean:
	rm -rf .venv build *.egg-info
