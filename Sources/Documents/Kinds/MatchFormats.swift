// SPDX-License-Identifier: Apache-2.0

import Routing

/// What a request must look like for a rule to apply.
enum MatchFormats {
    static let match = Format<Match>.object(
        Field("path", path, "What the path must be. Default: any."),
        Field("method", .method, "The request's method. Default: any."),
        Field("headers", .list(of: value(named: .headerName)), "Headers, of which every one must hold."),
        Field(
            "queryParams",
            .list(of: value(named: .queryParameterName)),
            "Query parameters, of which every one must hold."
        )
    ) { _, _, path, method, headers, queryParameters in
        Match(
            path: path ?? .prefix("/"),
            method: method,
            headers: headers ?? [],
            queryParameters: queryParameters ?? []
        )
    }

    private enum PathType: String, CaseIterable {
        case prefix = "PathPrefix"
        case exact = "Exact"
        case regularExpression = "RegularExpression"
    }

    private static let path = Format<Match.PathMatch>.object(
        Field(
            "type",
            Format<PathType>.choice,
            .default("PathPrefix"),
            "PathPrefix: whole path elements, /a matches /a and /a/b and not /ab. Exact. RegularExpression: RE2, all of it."
        ),
        Field("value", .dependentText, .required, "The prefix, the path or the expression.")
    ) { _, faults, type, value in
        guard let value else { return nil }
        return switch type ?? .prefix {
        case .prefix: Format.pathPrefix.normalized.read(value, faults).map { .prefix($0) }
        case .exact: Format.path.normalized.read(value, faults).map { .exact($0) }
        case .regularExpression: Format.regularExpression.read(value, faults).map { .regularExpression($0) }
        }
    }

    private enum ValueType: String, CaseIterable {
        case exact = "Exact"
        case regularExpression = "RegularExpression"
        case present = "Present"
    }

    private static func value(named name: Format<String>) -> Format<Match.ValueMatch> {
        .object(
            Field("name", name, .required, "Its name."),
            Field(
                "type",
                Format<ValueType>.choice,
                .default("Exact"),
                "Exact: this value. RegularExpression: RE2, all of it. Present: any value, or none."
            ),
            Field("value", .dependentText, "What it must be. Not with the type Present."),
            rules: [
                .variant(field: "type", value: ValueType.present.rawValue, forbidden: ["value"], required: ["value"])
            ]
        ) { _, faults, name, type, node in
            let value: Match.ValueMatch.Value? =
                switch type ?? .exact {
                case .exact: node.flatMap { Format.headerValue.read($0, faults) }.map { .exact($0) }
                case .regularExpression:
                    node.flatMap { Format.regularExpression.read($0, faults) }.map { .regularExpression($0) }
                case .present: .present
                }
            guard let name, let value else { return nil }
            return Match.ValueMatch(name: name, value: value)
        }
    }
}
