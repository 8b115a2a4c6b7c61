// SPDX-License-Identifier: Apache-2.0
// expected: error: 'old\(\)' is deprecated

@available(*, deprecated)
func old() {}

func bad() {
    old()
}
