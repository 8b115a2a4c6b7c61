// SPDX-License-Identifier: Apache-2.0

/// Turns the names that code gives to metrics into names that Prometheus takes.
enum PrometheusName {
    /// `hb.requests` becomes `hb_requests_total` for the suffix `_total`.
    static func metric(_ name: String, suffix: String = "") -> String {
        let name = self.sanitised(name, others: "_:")
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    /// The labels in the order of their names, which is the order that they are written in. Of two that become one
    /// name the first stays.
    static func labels(_ dimensions: [(String, String)]) -> [PrometheusText.Label] {
        var labels: [PrometheusText.Label] = []
        for (name, value) in dimensions {
            let name = self.sanitised(name, others: "_")
            if !labels.contains(where: { $0.name == name }) { labels.append((name, value)) }
        }
        return labels.sorted { $0.name < $1.name }
    }

    private static func sanitised(_ name: String, others: String) -> String {
        let characters = name.unicodeScalars.map { scalar in
            let isLetterOrDigit =
                scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            return isLetterOrDigit || others.unicodeScalars.contains(scalar) ? Character(scalar) : "_"
        }
        guard let first = characters.first else { return "_" }
        return first.isNumber ? "_" + String(characters) : String(characters)
    }
}
