// SPDX-License-Identifier: Apache-2.0

/// The figures of a load test.
package struct LoadReport: Sendable {
    package enum Value: Equatable, Sendable {
        case text(String)
        case integer(Int)
        case number(Double)
    }

    private var values: [LoadFigure: Value] = [:]

    init() {}

    /// Whether the run did all that it was asked to.
    package var isComplete: Bool { self.values[.failure] == nil }

    package subscript(figure: LoadFigure) -> Value? { self.values[figure] }

    /// A line for each figure that there is.
    package var text: String {
        LoadFigure.allCases.compactMap { figure in self.values[figure].map { "\(figure.rawValue): \($0)\n" } }.joined()
    }

    // MARK: Taking figures

    mutating func set(_ figure: LoadFigure, _ text: String) {
        self.values[figure] = .text(text)
    }

    mutating func set(_ figure: LoadFigure, _ integer: Int?) {
        self.values[figure] = integer.map { .integer($0) }
    }

    mutating func set(_ figure: LoadFigure, _ number: Double?) {
        // Three decimals: what is beyond them is noise.
        self.values[figure] = number.map { .number(($0 * 1_000).rounded() / 1_000) }
    }

    /// Of nanoseconds.
    mutating func set(_ figure: LoadFigure, milliseconds nanoseconds: Int64?) {
        self.set(figure, nanoseconds.map { Double($0) / 1e6 })
    }

    mutating func takeSync(_ times: [Int64], _ traffic: Traffic) {
        let times = Distribution(times)
        self.set(.sync, times.maximum.map { Double($0) / 1e9 })
        self.set(.syncMedian, times.percentile(50).map { Double($0) / 1e9 })
        self.set(.syncResponses, traffic.responses)
        self.set(.syncResources, traffic.resources)
        self.set(.syncBytes, traffic.bytes)
    }

    /// - Parameters:
    ///   - times: of each change, nanoseconds until each stream got it.
    ///   - answers: of each change, nanoseconds until it was answered.
    mutating func takeChanges(_ times: [[Int64]], answers: [Int64], _ traffic: Traffic, streams: Int) {
        let propagation = Distribution(times.flatMap(\.self))
        self.set(.propagationMedian, milliseconds: propagation.percentile(50))
        self.set(.propagation99, milliseconds: propagation.percentile(99))
        self.set(.propagationMaximum, milliseconds: propagation.maximum)
        let last = Distribution(times.compactMap { $0.max() })
        self.set(.lastStreamMedian, milliseconds: last.percentile(50))
        self.set(.lastStream99, milliseconds: last.percentile(99))
        self.set(.lastStreamMaximum, milliseconds: last.maximum)
        let answers = Distribution(answers)
        self.set(.touchMedian, milliseconds: answers.percentile(50))
        self.set(.touch99, milliseconds: answers.percentile(99))

        let changes = times.count
        self.set(.changes, changes)
        self.set(.responsesPerChange, Self.ratio(Double(traffic.responses), changes))
        self.set(.resourcesPerChange, Self.ratio(Double(traffic.resources), changes))
        self.set(.bytesPerChange, Self.ratio(Double(traffic.bytes), changes))
        self.set(.responsesPerStream, Self.ratio(Double(traffic.responses), changes * streams))
        self.set(.resourcesPerStream, Self.ratio(Double(traffic.resources), changes * streams))
        self.set(.bytesPerStream, Self.ratio(Double(traffic.bytes), changes * streams))
        self.set(.resentClusters, traffic.unchanged[ResourceType.cluster.rawValue])
        self.set(.resentEndpoints, traffic.unchanged[ResourceType.endpoints.rawValue])
        self.set(.resentListeners, traffic.unchanged[ResourceType.listener.rawValue])
        self.set(.resentRoutes, traffic.unchanged[ResourceType.route.rawValue])
        self.set(.resent, traffic.unchanged.reduce(0, +))
        self.set(.unexpected, traffic.unexpected)
        self.set(.removals, traffic.removals)
    }

    /// By change, in milliseconds, and by stream, in microseconds.
    mutating func takeCPU(
        _ figures: (perChange: LoadFigure, perStream: LoadFigure),
        seconds: Double?,
        changes: Int,
        streams: Int
    ) {
        guard let seconds else { return }
        self.set(figures.perChange, Self.ratio(seconds * 1e3, changes))
        self.set(figures.perStream, Self.ratio(seconds * 1e6, changes * streams))
    }

    private static func ratio(_ amount: Double, _ count: Int) -> Double? {
        count == 0 ? nil : amount / Double(count)
    }
}

extension LoadReport.Value: CustomStringConvertible {
    package var description: String {
        switch self {
        case .text(let text): text
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        }
    }
}

extension LoadReport: Encodable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        for figure in LoadFigure.allCases {
            let key = Key(stringValue: figure.rawValue)
            switch self.values[figure] {
            case .text(let text): try object.encode(text, forKey: key)
            case .integer(let integer): try object.encode(integer, forKey: key)
            case .number(let number): try object.encode(number, forKey: key)
            case nil: try object.encodeNil(forKey: key)
            }
        }
    }
}
