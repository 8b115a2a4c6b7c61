// SPDX-License-Identifier: Apache-2.0

/// Guesses what a misspelt word was meant to be.
package enum Spelling {
    /// The candidate that `word` differs from by at most two edits, and by less than half of its letters.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        let letters = Array(word.lowercased().utf8)
        let best =
            candidates
            .map { (candidate: $0, distance: Self.distance(letters, Array($0.lowercased().utf8))) }
            .min { $0.distance < $1.distance }
        guard let best, best.distance <= 2, best.distance * 2 < max(letters.count, best.candidate.utf8.count) else {
            return nil
        }
        return best.candidate
    }

    /// Letters to insert, remove, replace, or swap with their neighbour. More than 2 is as good as any more.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard abs(left.count - right.count) <= 2 else { return 3 }
        var rows = [Array(0...right.count)]
        for (i, letter) in left.enumerated() {
            var row = [i + 1]
            for (j, other) in right.enumerated() {
                var best = min(rows[i][j] + (letter == other ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
