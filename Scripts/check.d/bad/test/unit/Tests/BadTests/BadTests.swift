// SPDX-License-Identifier: Apache-2.0

import Testing

@Test func `a test that fails`() {
    #expect(Bool(false))
}
