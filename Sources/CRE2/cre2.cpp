// SPDX-License-Identifier: Apache-2.0

#include "cre2.h"

#include <cstdio>
#include <re2/re2.h>

int cre2_program_size(const char *pattern, size_t length, char *error, size_t error_capacity) {
  // As Envoy compiles it: bytes, not UTF-8, which makes programs smaller. And quiet.
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  re2::RE2 compiled(re2::StringPiece(pattern, length), options);
  if (!compiled.ok()) {
    std::snprintf(error, error_capacity, "%s", compiled.error().c_str());
    return -1;
  }
  return compiled.ProgramSize();
}
