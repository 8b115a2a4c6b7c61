// SPDX-License-Identifier: Apache-2.0

// RE2, the regular expression engine that Envoy uses, behind two C functions.
#ifndef SIGNALBOX_CRE2_H
#define SIGNALBOX_CRE2_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Compiles `pattern` (`length` bytes of UTF-8) as Envoy does.
/// Returns the program size (Envoy refuses one over 100 by default), or -1 and the reason, NUL-terminated, in `error`.
int cre2_program_size(const char *pattern, size_t length, char *error, size_t error_capacity);

/// Whether `pattern` matches all of `text`, or somewhere in it if `whole` is 0. 0 too if it does not compile.
int cre2_matches(const char *pattern, size_t length, const char *text, size_t text_length, int whole);

#ifdef __cplusplus
}
#endif
#endif
