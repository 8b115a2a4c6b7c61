// SPDX-License-Identifier: Apache-2.0

func bad(_ number: Int?) -> Int {
    number!
}
