# What the native builds share. A Makefile sets BUILD (its build folder, absolute) and WATCHED (its sources and
# headers, from its own folder), includes this, and makes objects by $(call compile,COMMAND,SOURCE).
#
# A file counts as changed when its content did: it has a stamp in the build folder, which is written anew then, and
# objects depend on stamps. So a build folder stays valid when it is copied, and when the same sources are checked out
# again. Works with GNU make 3.81, which is what macOS has.
NATIVE := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
SHELL := bash
.DELETE_ON_ERROR:
.SUFFIXES:

$(if $(BUILD),,$(error BUILD is not set: use build.sh))
ifneq ($(filter 1.% 2.% 3.80,$(MAKE_VERSION)),)
$(error GNU make $(MAKE_VERSION) is too old: expected 3.81 or later)
endif

# The stamp of a file.
stamp = $(BUILD)/stamps/$(subst /,+,$(1))

# The stamp of a command, which is written anew when its words change: $(eval $(call command,NAME,WORDS)).
define command
$$(shell $$(NATIVE)/stamps.sh $$(BUILD) command '$(1)' '$(2)')
endef

# Makes $@ from a source by a command that ends before -c; notes its headers, and the command for compile_commands.json.
define compile
@mkdir -p $(@D)
@$(1) -MMD -MF $@.headers -c $(2) -o $@
@$(NATIVE)/headers.sh $@.headers '$$(BUILD)$(@:$(BUILD)%=%)' >$@.d
@printf '{"directory": "@", "file": "%s", "command": "%s"}\n' '$(2)' '$(1) -c $(2)' >$@.json
endef

# Made from what compile noted, of the objects given: $(call compile_commands,OBJECTS).
define compile_commands
@{ echo '['; cat $(1:%=%.json) | sed -e 's,"directory": "@","directory": "$(CURDIR)",' -e '$$!s/$$/,/'; echo ']'; } >$@.new
@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
endef

$(shell $(NATIVE)/stamps.sh $(BUILD) files $(WATCHED))
