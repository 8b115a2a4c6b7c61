// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Bench

@Suite struct DistributionTests {
    @Test(arguments: [(1, 1), (50, 50), (51, 51), (99, 99), (100, 100)])
    func `a percentile of 1 to 100 is the value of its number`(percent: Int, value: Int64) {
        #expect(Distribution((1...100).reversed()).percentile(percent) == value)
    }

    @Test func `a percentile is a value that was measured`() {
        let four = Distribution([40, 10, 30, 20])
        #expect(four.percentile(50) == 20)
        #expect(four.percentile(51) == 30)
        #expect(four.percentile(99) == 40)
        #expect(four.maximum == 40)
        #expect(Distribution([7]).percentile(1) == 7)
        #expect(Distribution([7]).percentile(99) == 7)
    }

    @Test func `the 99th percentile of 1,000 leaves ten out`() {
        #expect(Distribution(Array(1...1_000)).percentile(99) == 990)
    }

    @Test func `of nothing there is nothing`() {
        #expect(Distribution([]).percentile(50) == nil)
        #expect(Distribution([]).maximum == nil)
    }

    /// The first numbers of the reference implementation for seed 0.
    @Test func `the generator is SplitMix64`() {
        var generator = SplitMix64(seed: 0)
        #expect(generator.next() == 0xe220_a839_7b1d_cdaf)
        #expect(generator.next() == 0x6e78_9e6a_a1b9_65f4)
        #expect(generator.next() == 0x06c4_5d18_8009_454f)
    }
}
