# Berth, from nothing to a desktop: make run. Everything tested: make test.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# cargo itself honours CARGO_TARGET_DIR; the scripts in .ci do too.
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help run test fmt lint images images-audit bench fuzz-smoke pictures clean prerequisites

help: ## show this
	@echo 'Berth: one HTTPS URL to a real desktop'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: ## install what is missing, build, and serve https://localhost:8443/ in the foreground
	@.ci/prerequisites run
	@images/build desktop novnc
	@cargo build --release
	@$(TARGET)/release/berth setup
	@exec $(TARGET)/release/berth serve

test: ## install what is missing, build, and run every suite
	@.ci/prerequisites test
	@images/build
	@images/build test-machine-disk test-illness
	@.ci/tests

fmt: ## format the sources
	@cargo fmt

lint: ## formatting, clippy, documentation, dependencies: any warning fails
	@.ci/lint

images: ## build the container images, check what they promise, and print their sizes and times
	@.ci/prerequisites engine
	@images/build
	@python3 images/contract --table docs/images.md

images-audit: ## list the packages of each image for which the distribution has newer ones
	@images/audit

bench: ## run the benches
	@cargo bench

fuzz-smoke: ## fuzz whatever reads bytes from outside, a minute each; a finding fails
	@.ci/fuzz

pictures: ## make the pictures of README and docs from the screenshots of make test
	@.ci/pictures

clean: ## remove what was built and what the tests left behind; users, sessions and homes stay
	@.ci/clean

prerequisites: ## install and start what the other targets need
	@.ci/prerequisites run
