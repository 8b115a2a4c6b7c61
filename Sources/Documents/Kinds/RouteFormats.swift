// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// `kind: route`: which requests of which hosts go where.
enum RouteFormats {
    static let document = Format<Document.Body>.object(
        DocumentKind.route.field,
        CommonFormats.name,
        Field(
            "hostnames",
            .list(of: Format<String>.hostnamePattern.located),
            "The hosts it is for, such as web.example.com or \"*.example.com\". Default: every host."
        ),
        Field(
            "gateways",
            .list(of: gatewayReference.located, atLeast: 1),
            .required,
            "The gateways that serve it, as <gateway>, or single listeners of theirs, as <gateway>/<listener>."
        ),
        Field("rules", .list(of: RuleFormats.rule, atLeast: 1), .required, "What to do with which requests.")
    ) { origin, faults, _, name, hostnames, gateways, rules in
        faults.reportRepetitions(of: "host name", in: hostnames, by: { $0 }, cure: "remove one of them")
        faults.reportRepetitions(of: "gateway", in: gateways, by: \.description, cure: "remove one of them")
        guard let name, let gateways, let rules, !gateways.isEmpty, !rules.isEmpty else { return nil }
        return .route(
            Route(
                name: RouteName(name),
                hostnames: hostnames?.map(\.value) ?? [],
                gateways: gateways.map(\.value),
                rules: rules,
                origin: origin
            )
        )
    }

    private static let gatewayReference = Format<Route.GatewayReference>(schema: referenceText.schema) { node, faults in
        guard let text = referenceText.read(node, faults) else { return nil }
        let parts = text.split(separator: "/")
        return Route.GatewayReference(
            gateway: GatewayName(String(parts[0])),
            listener: parts.count > 1 ? String(parts[1]) : nil,
            origin: faults.origin(line: node.line)
        )
    }

    private static let referenceText = Format<String>.text(
        "a gateway or one of its listeners",
        pattern: "^\(TextSyntax.namePattern)(/\(TextSyntax.namePattern))?$",
        cure: { _ in "write the name of a gateway, or of a gateway and a listener: edge or edge/http" },
        parse: { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count <= 2 && parts.allSatisfy(TextSyntax.isName) ? text : nil
        }
    )
}
