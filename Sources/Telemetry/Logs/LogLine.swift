// SPDX-License-Identifier: Apache-2.0

import Logging

/// What one line of the log says, before it is written in a format.
///
/// Names, messages of proxies and the like come from outside, so nothing in a line may end it, forge another one or
/// drive a terminal: both formats escape every control character.
struct LogLine {
    /// Since 1970, UTC.
    var milliseconds: Int64
    var level: Logger.Level
    var label: String
    var message: String
    /// Without dictionaries in it: `["a": ["b": "c"]]` is `["a.b": "c"]`.
    private(set) var metadata: [(key: String, value: Logger.MetadataValue)]

    init(milliseconds: Int64, level: Logger.Level, label: String, message: String, metadata: Logger.Metadata) {
        self.milliseconds = milliseconds
        self.level = level
        self.label = label
        self.message = message
        self.metadata = Self.flat(metadata, prefix: "").sorted { $0.key < $1.key }
    }

    private static func flat(
        _ metadata: Logger.Metadata,
        prefix: String
    ) -> [(key: String, value: Logger.MetadataValue)] {
        metadata.flatMap { key, value in
            if case .dictionary(let inner) = value { return self.flat(inner, prefix: "\(prefix)\(key).") }
            return [(prefix + key, value)]
        }
    }

    /// RFC 3339 with milliseconds: `2026-01-02T03:04:05.678Z`.
    var time: String {
        let (days, rest) = self.milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        // Days to a date of the Gregorian calendar, in years that begin with March:
        // https://howardhinnant.github.io/date_algorithms.html#civil_from_days
        let shifted = days + 719_468
        let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        func digits(_ number: Int64, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))T"
            + "\(digits(rest / 3_600_000, 2)):\(digits(rest / 60_000 % 60, 2)):\(digits(rest / 1000 % 60, 2))"
            + ".\(digits(rest % 1000, 3))Z"
    }
}
