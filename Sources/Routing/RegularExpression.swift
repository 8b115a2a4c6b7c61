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
}
