// SPDX-License-Identifier: Apache-2.0

extension String {
    /// Fit for a message: one line, without anything that a terminal obeys, and not longer than a reader needs to
    /// recognise it.
    package var printable: String {
        let scalars = self.unicodeScalars.prefix(60)
        return scalars.map { $0.escaped(asASCII: $0.isObeyed) }.joined()
            + (scalars.endIndex == self.unicodeScalars.endIndex ? "" : "...")
    }

    /// As `printable`, in quotes.
    package var excerpt: String { "\"\(self.printable)\"" }
}

extension Unicode.Scalar {
    /// Whether it ends a line or steers what follows, as writing direction.
    fileprivate var isObeyed: Bool {
        switch self.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
