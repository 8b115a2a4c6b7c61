// SPDX-License-Identifier: Apache-2.0

struct Bad {
  var indented = 2
}
