# Keep: one Makefile, objects under build/<variant>/, one archive per layer.
#
#   make                 keepd and keepctl in build/
#   make run             everything a first look needs, on an empty machine
#   make test            everything we claim, checked
#   make help            the rest

.DEFAULT_GOAL := all

VARIANT  ?= release
CC       ?= gcc
O        := build/$(VARIANT)
VERSION  := 0.1.0

PREFIX   ?= /usr/local
DESTDIR  ?=

# ---- what is linked: Debian's packages by their pkg-config names -----------
PKGS     := libarchive libmicrohttpd sqlite3 libsodium jansson libcurl libcrypto gnutls zlib libzstd libpq yaml-0.1 libpcre2-8 smartcols

WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wvla \
            -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings -Werror
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fPIE
LINK_release  := -pie -Wl,-z,relro,-z,now,-z,noexecstack
FLAGS_debug   := -O0 -g3
FLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK_asan     := -fsanitize=address,undefined
FLAGS_tsan    := -O1 -g -fsanitize=thread
LINK_tsan     := -fsanitize=thread
FLAGS_fuzz    := -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
LINK_fuzz     := -fsanitize=address,undefined
FLAGS_cov     := -O0 -g --coverage
LINK_cov      := --coverage

CFLAGS_ALL := -std=gnu11 $(WARN) $(FLAGS_$(VARIANT)) -MMD -MP -I. -Iagentlink -Iserver -I$(O)/gen \
              -D_GNU_SOURCE -DKEEP_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS) 2>/dev/null) $(CFLAGS)
LIBS       := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpthread -lm
LDFLAGS_ALL := $(LINK_$(VARIANT)) $(LDFLAGS)

# ---- the layers, top first: this is also the link order --------------------
LAYERS   := server/cmd server/http server/service server/store agentlink/ctl server/core server/db \
            agentlink/demo agentlink/agent agentlink/client agentlink/wire agentlink/base
layer_sources = $(sort $(shell find $(wildcard $(1)) /dev/null -name '*.c' ! -name '*.bpf.c' ! -name main.c))
objects  = $(patsubst %.c,$(O)/%.o,$(1))
ARCHIVES := $(foreach l,$(LAYERS),$(O)/$(l).a)
SERVER_ARCHIVES := $(filter-out $(O)/agentlink/ctl.a $(O)/agentlink/demo.a $(O)/agentlink/agent.a,$(ARCHIVES))
CTL_ARCHIVES := $(foreach l,agentlink/ctl server/core agentlink/client agentlink/wire agentlink/base,$(O)/$(l).a)
AGENT_ARCHIVES := $(foreach l,agentlink/agent agentlink/client agentlink/wire agentlink/base,$(O)/$(l).a)
DEMO_ARCHIVES := $(foreach l,agentlink/demo agentlink/agent agentlink/client agentlink/wire agentlink/base,$(O)/$(l).a)

PROGRAMS := $(if $(wildcard server/main.c),$(O)/keepd) $(if $(wildcard agentlink/ctl/main.c),$(O)/keepctl) \
            $(if $(wildcard agentlink/agent/main.c),$(O)/keep-agent) $(O)/keep-demo

archives: $(ARCHIVES)

all: $(PROGRAMS)
ifeq ($(VARIANT),release)
	@for p in $(PROGRAMS); do ln -sfn release/$$(basename $$p) build/$$(basename $$p); done
endif

define layer_rule
$(O)/$(1).a: $$(call objects,$$(call layer_sources,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	@echo '  AR   $$@'
	@$$(if $$^,ar rcs $$@ $$^,ar rcs $$@)
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$(l))))

$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC   $<'
	@$(CC) $(CFLAGS_ALL) -c -o $@ $<

# ---- schema/NNNN_words.sql -> the migrations embedded in server/db -----------
SCHEMA := $(sort $(wildcard schema/*.sql))

$(O)/gen/migrations.c: server/db/migrations.sh $(SCHEMA)
	@mkdir -p $(@D)
	@sh server/db/migrations.sh $(SCHEMA) >$@.tmp
	@mv $@.tmp $@

$(O)/gen/migrations.o: $(O)/gen/migrations.c
	@echo '  CC   $<'
	@$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(O)/server/db.a: $(O)/gen/migrations.o

# ---- schema/policies/NAME.yaml -> the shipped policies ------------------------
POLICIES := $(sort $(wildcard schema/policies/*.yaml))

$(O)/gen/shipped.c: schema/embed.sh $(POLICIES)
	@mkdir -p $(@D)
	@sh schema/embed.sh $(POLICIES) >$@.tmp
	@mv $@.tmp $@

$(O)/gen/shipped.o: $(O)/gen/shipped.c
	@echo '  CC   $<'
	@$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(O)/server/core.a: $(O)/gen/shipped.o

# ---- the walls: BPF programs of the agent, where this machine can build them ---
# gen/wall_can changes when the answer does; what is built depends on it.
WALL     := agentlink/agent/wall
WALL_LIBS := $(if $(wildcard agentlink/agent/main.c $(WALL)/wall.c),$(shell pkg-config --libs libbpf 2>/dev/null; pkg-config --libs libnftables 2>/dev/null))
WALL_CAN := $(shell mkdir -p $(O)/gen; sh $(WALL)/build.sh can >$(O)/gen/wall_can.tmp; \
              cmp -s $(O)/gen/wall_can.tmp $(O)/gen/wall_can || cp $(O)/gen/wall_can.tmp $(O)/gen/wall_can)

$(O)/gen/agent/wall/built.h: $(O)/gen/wall_can $(WALL)/build.sh $(WALL)/layout.h $(wildcard $(WALL)/*.bpf.c)
	@echo '  BPF  $@'
	@sh $(WALL)/build.sh $(@D)

$(call objects,$(wildcard $(WALL)/*.c)): $(O)/gen/agent/wall/built.h

# ---- generated: the web interface, compiled in -------------------------------
$(O)/gen/web.c: server/http/web.sh $(shell find web -type f 2>/dev/null)
	@mkdir -p $(@D)
	@sh server/http/web.sh web $(@D) > $@.tmp
	@mv $@.tmp $@

$(O)/gen/web.o: $(O)/gen/web.c
	@$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(O)/server/http.a: $(O)/gen/web.o

$(O)/keepd: $(call objects,server/main.c) $(SERVER_ARCHIVES)
	@echo '  LINK $@'
	@$(CC) $(LDFLAGS_ALL) -o $@ $< $(SERVER_ARCHIVES) $(LIBS)

$(O)/keepctl: $(call objects,agentlink/ctl/main.c) $(CTL_ARCHIVES)
	@echo '  LINK $@'
	@$(CC) $(LDFLAGS_ALL) -o $@ $< $(CTL_ARCHIVES) $(LIBS)

$(O)/keep-agent: $(call objects,agentlink/agent/main.c) $(AGENT_ARCHIVES)
	@echo '  LINK $@'
	@$(CC) $(LDFLAGS_ALL) -o $@ $< $(AGENT_ARCHIVES) $(LIBS) $(WALL_LIBS)

$(O)/keep-demo: $(call objects,agentlink/demo/main.c) $(DEMO_ARCHIVES)
	@echo '  LINK $@'
	@$(CC) $(LDFLAGS_ALL) -o $@ $< $(DEMO_ARCHIVES) $(LIBS)

# ---- tests: every .c in these folders is one program ------------------------
TEST_LIBS := -lcmocka
tests_in  = $(patsubst %.c,$(O)/%,$(sort $(wildcard tests/$(1)/*.c)))
UNIT      := $(call tests_in,unit)
STORE     := $(call tests_in,store)
FLOW      := $(call tests_in,flow)
FAULT     := $(call tests_in,fault)
CONFORM   := $(call tests_in,conformance)
BENCH     := $(call tests_in,bench)
FUZZ      := $(call tests_in,fuzz)

# What tests share: a real keepd, a raw client, evidence of our own making.
SUPPORT   := $(O)/tests/support.a
$(SUPPORT): $(call objects,$(sort $(wildcard tests/support/*.c)))
	@mkdir -p $(@D)
	@rm -f $@
	@echo '  AR   $@'
	@ar rcs $@ $^

$(UNIT) $(STORE) $(FLOW) $(FAULT) $(CONFORM) $(BENCH): $(O)/tests/%: $(O)/tests/%.o $(SUPPORT) $(ARCHIVES)
	@mkdir -p $(@D)
	@echo '  LINK $@'
	@$(CC) $(LDFLAGS_ALL) -o $@ $< $(SUPPORT) $(ARCHIVES) $(TEST_LIBS) $(LIBS) $(WALL_LIBS)
$(FLOW) $(FAULT) $(BENCH): | $(O)/keepd $(O)/keepctl $(if $(wildcard agentlink/agent/main.c),$(O)/keep-agent)

# What runs within a container of the tests of the walls needs nothing from its file system.
$(O)/tests/inside: tests/flow/inside/inside.c
	@mkdir -p $(@D)
	@echo '  LINK $@'
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -Wno-unknown-warning-option -Wno-clobbered -Werror -D_GNU_SOURCE -static -s -o $@ $<
$(filter $(O)/tests/flow/wall% $(O)/tests/bench/wall%,$(FLOW) $(BENCH)): | $(O)/tests/inside

# A fuzzer is tests/fuzz/NAME.c with LLVMFuzzerTestOneInput; outside the fuzz
# variant it is linked with a small main that replays files.
$(FUZZ): $(O)/tests/fuzz/%: $(O)/tests/fuzz/%.o $(if $(filter fuzz,$(VARIANT)),,$(O)/tests/fuzz/replay/main.o) $(ARCHIVES)
	@mkdir -p $(@D)
	@echo '  LINK $@'
	@$(CC) $(LDFLAGS_ALL) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) -o $@ $(filter %.o,$^) $(ARCHIVES) $(LIBS) $(WALL_LIBS)

tests: $(UNIT) $(STORE) $(FLOW) $(FAULT) $(FUZZ)
unit-programs: $(UNIT)
fuzz-programs: $(FUZZ)
unit: $(UNIT)
	@sh tests/check/run_programs.sh $(UNIT)

# ---- what people type ---------------------------------------------------------
# Packages may arrive while make runs: what needs their flags runs in a make of its own.
JOBS ?= $(shell nproc)

run: deps
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@sh agentlink/demo/run.sh start
stop:
	@sh agentlink/demo/run.sh stop
clean-run:
	@sh agentlink/demo/run.sh clean

test: test-deps
	@sh tests/check/test.sh
conformance: test-deps
	@test -d "$(DIR)" || { echo "usage: make conformance DIR=folder-of-sets"; exit 2; }
	@$(MAKE) --no-print-directory -s -j$(JOBS) conformance-programs
	@sh tests/check/conformance.sh "$(DIR)"
conformance-programs: $(CONFORM)
bench: test-deps
	@$(MAKE) --no-print-directory -s -j$(JOBS) bench-programs
	@for b in $(BENCH); do echo "== $$b"; $$b || exit 1; done
bench-programs: $(BENCH)
asan tsan:
	@$(MAKE) --no-print-directory -s -j$(JOBS) VARIANT=$@ unit

# Each fuzzer for SECONDS, from its corpus; what it finds stays in build/fuzz/.
SECONDS ?= 60
fuzz: test-deps
	@$(MAKE) --no-print-directory -s -j$(JOBS) CC=clang VARIANT=fuzz fuzz-programs
	@for f in $(notdir $(FUZZ)); do echo "== $$f"; mkdir -p build/fuzz/found/$$f && \
	    build/fuzz/tests/fuzz/$$f -max_total_time=$(SECONDS) -print_final_stats=1 -artifact_prefix=build/fuzz/$$f- \
	    build/fuzz/found/$$f tests/fuzz/corpus/$$f || exit 1; done

deps:
	@sh .ci/deps build
test-deps:
	@sh .ci/deps test

# The rules of the sources themselves.
check:
	@sh tests/check/layers.sh
	@sh tests/check/banned.sh
	@sh tests/check/sizes.sh
	@sh tests/check/migrations_test.sh
	@sh tests/check/policies.sh
	@CC='$(CC)' CFLAGS_ALL='$(CFLAGS_ALL)' sh tests/check/headers.sh

clean:
	rm -rf build

# ---- install ------------------------------------------------------------------
BINDIR  := $(PREFIX)/bin
MANDIR  := $(PREFIX)/share/man/man1
UNITDIR ?= $(PREFIX)/lib/systemd/system
DOCDIR  := $(PREFIX)/share/doc/keep
COMPLETIONS := bash:share/bash-completion/completions/% zsh:share/zsh/site-functions/_% fish:share/fish/vendor_completions.d/%.fish
INSTALLED := keepd $(if $(wildcard agentlink/ctl/main.c),keepctl) $(if $(wildcard agentlink/agent/main.c),keep-agent)
completion_path = $(PREFIX)/$(subst %,$(2),$(lastword $(subst :, ,$(1))))

install: all
	@set -e; umask 022; for p in $(INSTALLED); do \
	    install -D -m 755 build/$$p "$(DESTDIR)$(BINDIR)/$$p"; \
	    install -d "$(DESTDIR)$(MANDIR)"; build/$$p man >"$(DESTDIR)$(MANDIR)/$$p.1"; \
	done
	@set -e; umask 022; $(foreach p,$(INSTALLED),$(foreach c,$(COMPLETIONS), \
	    install -d "$(DESTDIR)$(dir $(call completion_path,$(c),$(p)))"; \
	    build/$(p) completion $(firstword $(subst :, ,$(c))) >"$(DESTDIR)$(call completion_path,$(c),$(p))";))
	@install -d "$(DESTDIR)$(UNITDIR)" "$(DESTDIR)$(DOCDIR)/policies"
	@sed 's,@BINDIR@,$(BINDIR),g' server/keepd.service >"$(DESTDIR)$(UNITDIR)/keepd.service"
	@sed 's,@BINDIR@,$(BINDIR),g' agentlink/agent/keep-agent.service >"$(DESTDIR)$(UNITDIR)/keep-agent.service"
	@install -m 644 agentlink/agent/daemonset.yaml "$(DESTDIR)$(DOCDIR)/keep-agent-daemonset.yaml"
	@install -m 644 README.md LICENSE "$(DESTDIR)$(DOCDIR)/"
	@install -m 644 $(POLICIES) "$(DESTDIR)$(DOCDIR)/policies/"
	@echo "installed in $(DESTDIR)$(PREFIX)"
uninstall:
	rm -f $(foreach p,keepd keepctl keep-agent,"$(DESTDIR)$(BINDIR)/$(p)" "$(DESTDIR)$(MANDIR)/$(p).1" \
	    $(foreach c,$(COMPLETIONS),"$(DESTDIR)$(call completion_path,$(c),$(p))")) "$(DESTDIR)$(UNITDIR)/keepd.service" \
	    "$(DESTDIR)$(UNITDIR)/keep-agent.service"
	rm -rf "$(DESTDIR)$(DOCDIR)"

define HELP
  make                     keepd, keepctl and keep-demo in build/
  make run                 installs what is missing, builds, starts a server with a demo fleet
  make stop, clean-run     stops it; stops it and removes its data (.run/)
  make test                installs what is missing and checks everything we claim
  make conformance DIR=D   judges us by the sets in D
  make bench               measures
  make fuzz SECONDS=60     each fuzzer for so long (clang)
  make asan, tsan          unit tests with sanitizers
  make install             programs, man pages, completions, systemd unit; DESTDIR, PREFIX
  make uninstall, clean
  VARIANT=release|debug|asan|tsan|fuzz|cov, CC=gcc|clang, CFLAGS, LDFLAGS
endef
help:
	$(info $(HELP))
	@:

.PHONY: all archives check tests unit-programs fuzz-programs unit run stop clean-run test conformance conformance-programs bench \
        bench-programs asan tsan fuzz deps test-deps clean install uninstall help
.SECONDARY:
-include $(shell find $(O) -name '*.d' 2>/dev/null)
