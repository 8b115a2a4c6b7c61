// SPDX-License-Identifier: Apache-2.0

/// Writes metrics in the text format that Prometheus scrapes, version 0.0.4.
///
/// See https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
struct PrometheusText {
    typealias Label = (name: String, value: String)

    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private(set) var bytes: [UInt8]

    /// Appends to `bytes`.
    init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    /// Opens the samples of one name.
    mutating func family(_ name: String, _ kind: Kind, help: String) {
        self.write("# HELP \(name) ")
        self.write(escaped: help, quotes: false)
        self.write("\n# TYPE \(name) \(kind.rawValue)\n")
    }

    mutating func sample(_ name: String, labels: [Label] = [], _ value: Double) {
        self.write(name)
        if !labels.isEmpty {
            var separator = "{"
            for label in labels {
                self.write("\(separator)\(label.name)=\"")
                self.write(escaped: label.value, quotes: true)
                self.write("\"")
                separator = ","
            }
            self.write("}")
        }
        self.write(" \(Self.number(value))\n")
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Whole numbers as people write them, where a Double holds them exactly.
        return Int64(exactly: value).flatMap { abs(value) < 0x1p53 ? "\($0)" : nil } ?? "\(value)"
    }

    private mutating func write(_ text: String) {
        self.bytes.append(contentsOf: text.utf8)
    }

    private mutating func write(escaped text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n"): self.write("\\n")
            case UInt8(ascii: "\\"): self.write("\\\\")
            case UInt8(ascii: "\"") where quotes: self.write("\\\"")
            default: self.bytes.append(byte)
            }
        }
    }
}
