# Two commands are all a newcomer needs: `make demo` and `make test`. Each sets itself up.

CARGO ?= cargo
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)

.PHONY: demo test check fmt clippy doc sqlx setup schema test-cluster bench-fidelity bench-differences bench-catalog

demo: setup
	./demo/run

test: check

# Exactly what CI runs.
check: setup fmt clippy doc cluster-tests test-deploy test-workflow test-web test-api tests

fmt:
	$(CARGO) fmt --all -- --check

clippy:
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet

.PHONY: tests
# The binaries are built first: tests start the program itself.
tests:
	$(CARGO) build --workspace --bins --locked
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --workspace --locked --no-fail-fast
else
	$(CARGO) test --workspace --locked --no-fail-fast
endif

# Runs on a real API server: whatever KUBECONFIG points to, or one that is started here; skipped, and said, without.
test-cluster:
	$(CARGO) build --workspace --bins --locked
	./tests/cluster/run

# The same on a cluster of its own alone: `make test` must not touch one that a person happens to be connected to.
.PHONY: cluster-tests
cluster-tests:
	$(CARGO) build --workspace --bins --locked
	env -u KUBECONFIG ./tests/cluster/run

# Everything under deploy/ that can be checked without AWS.
.PHONY: test-deploy
test-deploy: setup
	$(CARGO) build --workspace --bins --locked
	./deploy/check
	./deploy/docker/prove
	./deploy/database/prove
	./deploy/helm/prove

# The example workflow of docs/ci.md; skipped, and said, where npm cannot be had.
.PHONY: test-workflow
test-workflow:
	./docs/ci/check

# The pages in a real browser; skipped, and said, where no chromium or npm can be had.
.PHONY: test-web screenshots
test-web: setup
	$(CARGO) build --workspace --bins --locked
	./tests/web/run

# Generated requests against a running server and its OpenAPI document; skipped, and said, where Python or PyPI is missing.
.PHONY: test-api
test-api: setup
	$(CARGO) build --workspace --bins --locked
	./tests/api/run

# Pictures of every page, wide and narrow, light and dark, into the folder SCREENSHOTS (target/screenshots).
screenshots: setup
	$(CARGO) build --workspace --bins --locked
	./tests/web/run screenshots

# Breaks a whole installation again and again (workers, servers, engines, database, disk, clocks) and looks whether all runs
# came out right. About an hour; CHAOS="--rounds 20 --seed 7" is another story.
.PHONY: chaos
chaos: setup
	$(CARGO) build --workspace --bins --locked
	./tests/chaos/run $(CHAOS)

# PostgreSQL is the one thing that cargo does not bring.
setup:
	./demo/ensure-postgres

# Renews the checked statements in .sqlx after a change to a query or a migration; needs a database of its own:
# make sqlx ACCELBENCH_PREPARE_DATABASE_URL=postgres://...
sqlx:
	./store/prepare-statements

# What the load generator reports beside what was true. Prints; nothing passes or fails. Two cores, otherwise idle.
bench-fidelity:
	$(CARGO) run --release --locked -p accelbench-bench -- fidelity

# Whether comparisons of whole measurements keep their promise. Prints; nothing passes or fails. About 6 minutes.
bench-differences:
	$(CARGO) run --release --locked -p accelbench-bench -- differences

# How fast the catalog answers with a million results, over HTTP, in plain SQL, and while results are recorded. Prints;
# nothing passes or fails. About 15 minutes and 6 GB of disk; BENCH_CATALOG="--results 100000" is quicker.
bench-catalog:
	$(CARGO) run --release --locked -p accelbench-bench -- catalog $(BENCH_CATALOG)

# How soon and how fast jobs are taken from the queue, beside other queues, and behind 100,000 waiting runs. Prints; nothing
# passes or fails. About 3 minutes; BENCH_QUEUE="--waiting 1000" is quicker.
.PHONY: bench-queue
bench-queue:
	$(CARGO) run --release --locked -p accelbench-bench -- queue $(BENCH_QUEUE)

# Renews the description of the REST API from its handlers.
.PHONY: openapi
openapi:
	ACCELBENCH_WRITE_OPENAPI=1 $(CARGO) test --quiet -p accelbench-api --lib the_committed_document

# Renews the JSON schema of the load report from its types.
schema:
	ACCELBENCH_WRITE_SCHEMA=1 $(CARGO) test --quiet -p accelbench-core schema::tests::the_committed
