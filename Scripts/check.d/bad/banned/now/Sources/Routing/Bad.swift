// SPDX-License-Identifier: Apache-2.0

let bad = ContinuousClock.now
