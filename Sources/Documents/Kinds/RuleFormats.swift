// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// A rule of a route: its matches and what happens to the requests that match.
enum RuleFormats {
    /// So that the sum of their weights fits into the 32 bits that Envoy has for it.
    static let maximumBackends = 1000

    static let rule = Format<Route.Rule>.object(
        Field("matches", .list(of: MatchFormats.match), "One of them must hold. Default: every request matches."),
        Field(
            "backends",
            .list(of: backend, atLeast: 1, atMost: maximumBackends),
            "The services to send the request to, by weight."
        ),
        Field("rewrite", RewriteFormats.rewrite.located, "Changes to host and path before the request is sent on."),
        Field("redirect", RewriteFormats.redirect.located, "Answer that the client shall go elsewhere."),
        Field("requestHeaders", HeaderFormats.modifier, "Changes to the headers of the request."),
        Field("responseHeaders", HeaderFormats.modifier, "Changes to the headers of the response."),
        Field(
            "timeout",
            .duration(zeroAllowed: true),
            .default("15s"),
            "For the whole request, retries included. \"0s\" is no timeout."
        ),
        Field("retry", RetryFormats.retry, "When to try again. Default: never."),
        rules: [
            .exactlyOne(of: ["backends", "redirect"]),
            .excludes(field: "redirect", others: ["rewrite", "timeout", "retry"]),
        ]
    ) { origin, faults, matches, backends, rewrite, redirect, requestHeaders, responseHeaders, timeout, retry in
        let matches = matches ?? []
        Self.checkPrefix(
            rewrite?.value.path ?? redirect?.value.path,
            line: rewrite?.line ?? redirect?.line,
            matches,
            faults
        )
        let action: Route.Action
        if let backends, !backends.isEmpty {
            action = .forward(
                Route.Forward(backends: backends, rewrite: rewrite?.value, timeout: timeout, retry: retry)
            )
        } else if let redirect {
            action = .redirect(redirect.value)
        } else {
            return nil
        }
        return Route.Rule(
            matches: matches,
            action: action,
            requestHeaders: requestHeaders ?? HeaderModifier(),
            responseHeaders: responseHeaders ?? HeaderModifier(),
            origin: origin
        )
    }

    private static let backend = Format<Route.Backend>.object(
        Field("service", .name, .required, "Name of the service."),
        Field("subset", subset, "Only the instances that have all of these."),
        Field(
            "weight",
            .integer(in: Route.Backend.weightRange),
            .default(1),
            "Share of the requests: the weight over the sum of the weights of the rule's backends."
        )
    ) { origin, _, service, subset, weight in
        service.map {
            Route.Backend(service: ServiceName($0), subset: subset ?? .all, weight: weight ?? 1, origin: origin)
        }
    }

    private static let subset = Format<Subset>.object(
        Field("tags", .list(of: .label()), "The instance has every one of these tags."),
        Field("meta", .map(of: .label(), to: .label(emptyAllowed: true)), "The instance has these keys and values."),
        Field(
            "nodeMeta",
            .map(of: .label(), to: .label(emptyAllowed: true)),
            "The node of the instance has these keys and values."
        ),
        Field("canary", .boolean, "true: of a deployment that is not promoted yet. false: not of one. Default: either.")
    ) { _, _, tags, meta, nodeMeta, isCanary in
        Subset(tags: Set(tags ?? []), meta: meta ?? [:], nodeMeta: nodeMeta ?? [:], isCanary: isCanary)
    }

    /// There is no prefix to replace where a path matched as a whole, and Envoy cannot remove one of any length.
    private static func checkPrefix(_ path: PathRewrite?, line: Int?, _ matches: [Match], _ faults: Faults) {
        guard case .replacePrefixMatch(let replacement) = path, let line else { return }
        for match in matches {
            guard case .prefix(let prefix) = match.path else {
                faults.report(
                    .conflictingFields,
                    line: line,
                    "replacePrefixMatch has no meaning in a rule with a path match that is not a PathPrefix",
                    cure: "use replaceFullPath, or match by PathPrefix"
                )
                return
            }
            let elements = prefix.utf8.count { $0 == UInt8(ascii: "/") }
            if replacement == "/", elements > PathRewrite.maximumRemovedElements {
                faults.report(
                    .outOfRange,
                    line: line,
                    "replacePrefixMatch: / must be for a prefix of at most \(PathRewrite.maximumRemovedElements) path "
                        + "elements, and \(prefix.excerpt) has \(elements)",
                    cure: "match by a shorter prefix, or replace it by something"
                )
                return
            }
        }
    }
}
