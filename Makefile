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
PKGS     := libmicrohttpd sqlite3 libsodium jansson libcurl libcrypto gnutls zlib libzstd libpq yaml-0.1 libpcre2-8 smartcols

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
LAYERS   := server/cmd server/http server/service server/store server/core server/db \
            agentlink/demo agentlink/ctl agentlink/client agentlink/wire agentlink/base
layer_sources = $(sort $(shell find $(1) -name '*.c' ! -name main.c))
objects  = $(patsubst %.c,$(O)/%.o,$(1))
ARCHIVES := $(foreach l,$(LAYERS),$(O)/$(l).a)
SERVER_ARCHIVES := $(filter-out $(O)/agentlink/ctl.a $(O)/agentlink/demo.a,$(ARCHIVES))
CTL_ARCHIVES := $(foreach l,agentlink/ctl server/core agentlink/client agentlink/wire agentlink/base,$(O)/$(l).a)
DEMO_ARCHIVES := $(foreach l,agentlink/demo agentlink/client agentlink/wire agentlink/base,$(O)/$(l).a)

PROGRAMS := $(if $(wildcard server/main.c),$(O)/keepd) $(if $(wildcard agentlink/ctl/main.c),$(O)/keepctl) $(O)/keep-demo

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

$(O)/server/service.a: $(O)/gen/shipped.o

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
	@$(CC) $(LDFLAGS_ALL) -o $@ $< $(SUPPORT) $(ARCHIVES) $(TEST_LIBS) $(LIBS)
$(FLOW) $(FAULT) $(BENCH): | $(O)/keepd

# A fuzzer is tests/fuzz/NAME.c with LLVMFuzzerTestOneInput; outside the fuzz
# variant it is linked with a small main that replays files.
$(FUZZ): $(O)/tests/fuzz/%: $(O)/tests/fuzz/%.o $(if $(filter fuzz,$(VARIANT)),,$(O)/tests/fuzz/replay/main.o) $(ARCHIVES)
	@mkdir -p $(@D)
	@echo '  LINK $@'
	@$(CC) $(LDFLAGS_ALL) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) -o $@ $(filter %.o,$^) $(ARCHIVES) $(LIBS)

tests: $(UNIT) $(STORE) $(FLOW) $(FAULT) $(CONFORM) $(FUZZ)
unit: $(UNIT)
	@sh tests/check/run_programs.sh $(UNIT)

# The rules of the sources themselves.
check:
	@sh tests/check/layers.sh
	@sh tests/check/banned.sh
	@sh tests/check/sizes.sh
	@sh tests/check/migrations_test.sh
	@CC='$(CC)' CFLAGS_ALL='$(CFLAGS_ALL)' sh tests/check/headers.sh

# Everything we claim: rules, programs, the fuzzers' corpora; then stores and flows
# once more on a PostgreSQL of their own, where it is installed.
REPLAYS := $(FUZZ:$(O)/tests/fuzz/%=%)
test: check tests
	@sh tests/check/run_programs.sh $(UNIT) $(STORE) $(FLOW) $(FAULT)
	@for f in $(REPLAYS); do $(O)/tests/fuzz/$$f tests/fuzz/corpus/$$f >/dev/null || { echo "corpus of $$f: failed"; exit 1; }; done
	@echo 'corpora: ok, $(words $(REPLAYS)) fuzzers'
	@sh tests/check/with_postgres.sh env KEEP_FLOW_PG=1 sh tests/check/run_programs.sh $(STORE) $(ON_POSTGRES); \
	  code=$$?; [ $$code -eq 77 ] || exit $$code
ON_POSTGRES := $(addprefix $(O)/tests/flow/,upload judged pages matrix) $(O)/tests/fault/kill9

clean:
	rm -rf build

.PHONY: all tests unit check test clean
.SECONDARY:
-include $(shell find $(O) -name '*.d' 2>/dev/null)
