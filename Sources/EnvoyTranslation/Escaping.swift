// SPDX-License-Identifier: Apache-2.0

extension String {
    /// Escapes a character that Envoy gives a meaning by writing it twice. Not by `Character`: a percent sign and an
    /// accent on it are one to Swift, and still a percent sign to Envoy.
    func doubling(_ escaped: Unicode.Scalar) -> String {
        self.unicodeScalars.reduce(into: "") { result, scalar in
            result.unicodeScalars.append(scalar)
            if scalar == escaped { result.unicodeScalars.append(scalar) }
        }
    }
}
