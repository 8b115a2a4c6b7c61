// SPDX-License-Identifier: Apache-2.0
// expected: error: initialization of immutable value 'unused' was never used

func bad() {
    let unused = 1
}
