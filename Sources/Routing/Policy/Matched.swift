// SPDX-License-Identifier: Apache-2.0

/// The requests that a match selects: in which order it lists its conditions does not matter.
package struct Matched: Hashable {
    let path: Match.PathMatch
    let method: String?
    let headers: Set<Match.ValueMatch>
    let queryParameters: Set<Match.ValueMatch>

    package init(_ match: Match) {
        self.path = match.path
        self.method = match.method
        self.headers = Set(match.headers)
        self.queryParameters = Set(match.queryParameters)
    }
}
