// SPDX-License-Identifier: Apache-2.0

import CRE2

/// Whether Envoy will take a regular expression: asked of RE2 itself, the engine that Envoy uses.
package enum RegularExpression {
    /// What Envoy allows unless its runtime key `re2.max_program_size.error_level` says otherwise.
    /// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/type/matcher/v3/regex.proto
    package static let maximumProgramSize = 100

    /// Why Envoy would refuse `pattern`, or nil if it would not.
    package static func refusal(of pattern: String) -> String? {
        var pattern = pattern
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { error in
            error.initialize(repeating: 0)
            let size = pattern.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    cre2_program_size($0.baseAddress, $0.count, error.baseAddress, error.count)
                }
            }
            if size < 0 {
                return String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
            if size > self.maximumProgramSize {
                return "its program size is \(size), over Envoy's limit of \(self.maximumProgramSize)"
            }
            return nil
        }
    }

    /// Whether it matches all of a text.
    package static func matches(_ pattern: String, whole text: String) -> Bool {
        self.matches(pattern, text, isWhole: true)
    }

    /// Whether it matches somewhere in a text.
    package static func matches(_ pattern: String, in text: String) -> Bool {
        self.matches(pattern, text, isWhole: false)
    }

    private static func matches(_ pattern: String, _ text: String, isWhole: Bool) -> Bool {
        var pattern = pattern
        var text = text
        return pattern.withUTF8 { pattern in
            text.withUTF8 { text in
                pattern.withMemoryRebound(to: CChar.self) { pattern in
                    text.withMemoryRebound(to: CChar.self) { text in
                        cre2_matches(
                            pattern.baseAddress,
                            pattern.count,
                            text.baseAddress,
                            text.count,
                            isWhole ? 1 : 0
                        ) != 0
                    }
                }
            }
        }
    }
}
