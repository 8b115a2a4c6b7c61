// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// Data goes to standard output, everything else to standard error; both are written at once and never buffered.
enum StandardOutput {
    static func write(_ text: String) {
        Self.write(text, to: STDOUT_FILENO)
    }

    static func write(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Self.write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
    }

    static func note(_ text: String) {
        Self.write("signalbox: \(text)\n", to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // Nobody to tell when standard output itself is gone.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
