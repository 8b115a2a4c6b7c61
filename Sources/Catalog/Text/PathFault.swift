// SPDX-License-Identifier: Apache-2.0

/// Why a path to match applies to no request, though it is one.
package struct PathFault: Error, Equatable {
    package var problem: String
    package var cure: String

    /// Nil: requests can have it.
    package init?(path: String) {
        self.init(path, normalized: TextSyntax.normalized(path: path))
    }

    /// Of a prefix by characters, whose last element may go on. Nil: requests can begin with it.
    package init?(textPrefix: String) {
        let more = "x"
        let normalized = TextSyntax.normalized(path: textPrefix + more)
        self.init(textPrefix, normalized: normalized.map { String($0.dropLast(more.count)) })
    }

    private init?(_ path: String, normalized: String?) {
        guard normalized != path else { return nil }
        if let normalized {
            self.problem = "no request has the path \(path.excerpt): proxies make it \(normalized.excerpt) first"
            self.cure = "write \(normalized.excerpt)"
        } else {
            self.problem = "no request has the path \(path.excerpt): proxies refuse escaped slashes and zeros"
            self.cure = "match by what comes before it"
        }
    }
}
