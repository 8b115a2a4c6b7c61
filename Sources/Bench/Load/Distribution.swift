// SPDX-License-Identifier: Apache-2.0

/// The spread of some measurements.
struct Distribution {
    private let sorted: [Int64]

    init(_ values: [Int64]) {
        self.sorted = values.sorted()
    }

    /// The smallest value that is not exceeded by at least this share of all (the nearest rank), so that it is one that was
    /// measured; nil of nothing.
    func percentile(_ percent: Int) -> Int64? {
        precondition((1...100).contains(percent))
        guard !self.sorted.isEmpty else { return nil }
        let rank = (self.sorted.count * percent + 99) / 100
        return self.sorted[rank - 1]
    }

    var maximum: Int64? { self.sorted.last }
}
