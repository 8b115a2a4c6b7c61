// SPDX-License-Identifier: Apache-2.0

package import FoundationEssentials

/// How many times the reference each operation may take: `Benchmarks/core-thresholds.json`.
package struct CoreThresholds: Codable, Equatable, Sendable {
    package var ratios: [String: Double]

    init(ratios: [String: Double]) {
        self.ratios = ratios
    }

    package init(json: Data) throws {
        self = try JSONDecoder().decode(CoreThresholds.self, from: json)
    }

    package init(from decoder: any Decoder) throws {
        self.ratios = try decoder.singleValueContainer().decode([String: Double].self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.ratios)
    }
}

/// What the pure core's operations took.
package struct CoreReport: Encodable, Sendable {
    package struct Figure: Encodable, Sendable {
        /// For one, the quickest.
        package var ns: Double
        /// To the reference.
        package var ratio: Double
        /// Nil: nothing was compared, or there is none.
        package var threshold: Double?
    }

    package var reference: Double
    package var rounds: Int
    package var operations: [String: Figure]
    /// Names that have a threshold and no operation, or the other way round.
    package var unmatched: [String]
    private let order: [String]

    private enum CodingKeys: String, CodingKey {
        case reference = "reference_ns"
        case rounds, operations, exceeded, unmatched
    }

    init(reference: Double, rounds: Int, nanoseconds: [(name: String, ns: Double)], _ thresholds: CoreThresholds?) {
        self.reference = reference
        self.rounds = rounds
        let order = nanoseconds.map(\.name)
        self.order = order
        self.operations = [:]
        for (name, ns) in nanoseconds {
            self.operations[name] = Figure(ns: ns, ratio: ns / reference, threshold: thresholds?.ratios[name])
        }
        self.unmatched = thresholds.map { Set($0.ratios.keys).symmetricDifference(order).sorted() } ?? []
    }

    /// The operations that take longer than they may.
    package var exceeded: [String] {
        self.order.filter { name in
            guard let figure = self.operations[name], let threshold = figure.threshold else { return false }
            return figure.ratio > threshold
        }
    }

    /// One and a half times what was measured, to three significant digits: a library or a compiler may be a little
    /// slower, an operation that does twice the work may not.
    package var newThresholds: CoreThresholds {
        CoreThresholds(ratios: self.operations.mapValues { Self.rounded($0.ratio * 1.5) })
    }

    /// A line for each operation, and one for each complaint.
    package var text: String {
        var text = "reference: \(Self.rounded(self.reference)) ns, the best of \(self.rounds) rounds\n"
        for name in self.order {
            guard let figure = self.operations[name] else { continue }
            text += "\(name): \(Self.rounded(figure.ns)) ns, \(Self.rounded(figure.ratio)) of the reference"
            if let threshold = figure.threshold { text += ", at most \(threshold)" }
            text += "\n"
        }
        return text
    }

    /// What is wrong, a line each; none if nothing is.
    package var complaints: [String] {
        self.unmatched.map { "\($0): a threshold without an operation, or the other way round" }
            + self.exceeded.compactMap { name in
                guard let figure = self.operations[name], let threshold = figure.threshold else { return nil }
                return "\(name): \(Self.rounded(figure.ratio)) of the reference, and at most \(threshold) is allowed"
            }
    }

    package func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CodingKeys.self)
        try object.encode(self.reference, forKey: .reference)
        try object.encode(self.rounds, forKey: .rounds)
        try object.encode(self.operations, forKey: .operations)
        try object.encode(self.exceeded, forKey: .exceeded)
        try object.encode(self.unmatched, forKey: .unmatched)
    }

    private static func rounded(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return value }
        var scale = 1.0
        while value * scale < 100 { scale *= 10 }
        return (value * scale).rounded() / scale
    }
}
