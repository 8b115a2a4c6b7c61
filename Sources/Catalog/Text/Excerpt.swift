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

    /// All of it, in one line and without anything that a terminal obeys.
    package var inert: String {
        guard self.unicodeScalars.contains(where: \.isObeyed) else { return self }
        return self.unicodeScalars.map { $0.isObeyed ? $0.escaped(asASCII: true) : String($0) }.joined()
    }
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
