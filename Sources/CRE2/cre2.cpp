// SPDX-License-Identifier: Apache-2.0

#include "cre2.h"

#include <cstdio>
#include <memory>
#include <re2/re2.h>
#include <string>

namespace {

// As Envoy compiles it: bytes, not UTF-8, which makes programs smaller. And quiet.
re2::RE2::Options quiet() {
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  return options;
}

// One pattern is asked of many texts in a row.
const re2::RE2 &compiled(re2::StringPiece pattern) {
  thread_local std::unique_ptr<re2::RE2> last;
  if (!last || last->pattern() != pattern) {
    last = std::make_unique<re2::RE2>(pattern, quiet());
  }
  return *last;
}

} // namespace

int cre2_program_size(const char *pattern, size_t length, char *error, size_t error_capacity) {
  re2::RE2 compiled(re2::StringPiece(pattern, length), quiet());
  if (!compiled.ok()) {
    std::snprintf(error, error_capacity, "%s", compiled.error().c_str());
    return -1;
  }
  return compiled.ProgramSize();
}

int cre2_matches(const char *pattern, size_t length, const char *text, size_t text_length, int whole) {
  const re2::RE2 &expression = compiled(re2::StringPiece(pattern, length));
  if (!expression.ok()) {
    return 0;
  }
  const auto anchor = whole ? re2::RE2::ANCHOR_BOTH : re2::RE2::UNANCHORED;
  return expression.Match(re2::StringPiece(text, text_length), 0, text_length, anchor, nullptr, 0) ? 1 : 0;
}
