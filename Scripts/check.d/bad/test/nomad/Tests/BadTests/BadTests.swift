// SPDX-License-Identifier: Apache-2.0

import Testing

@Test func `a test that passes`() {
    #expect(Bool(true))
}
