// SPDX-License-Identifier: Apache-2.0

import Routing

/// Changes to a request's host and path, for the backend (rewrite) or for the client (redirect).
enum RewriteFormats {
    static let rewrite = Format<Rewrite>.object(
        Field("hostname", .hostname, "The host in place of the request's."),
        Field("path", path, "The path in place of the request's."),
        rules: [.atLeastOne(of: ["hostname", "path"])]
    ) { _, _, hostname, path in
        Rewrite(hostname: hostname, path: path)
    }

    static let redirect = Format<Redirect>.object(
        Field("scheme", .choice(of: ["http", "https"]), "Default: the request's."),
        Field("hostname", .hostname, "Default: the request's."),
        Field("port", .port, "Default: the one that goes with the scheme if that is given, else the request's."),
        Field("path", path, "Default: the request's."),
        Field(
            "statusCode",
            .integer(among: Redirect.statusCodes.sorted()),
            .default(302),
            "301 and 308 are permanent; 307 and 308 keep the method."
        ),
        rules: [.atLeastOne(of: ["scheme", "hostname", "port", "path"])]
    ) { _, _, scheme, hostname, port, path, statusCode in
        Redirect(scheme: scheme, hostname: hostname, port: port, path: path, statusCode: statusCode ?? 302)
    }

    private static let path = Format<PathRewrite>.object(
        Field("replaceFullPath", .path, "The whole path becomes this. The query stays."),
        Field(
            "replacePrefixMatch",
            .pathPrefix,
            "The prefix that matched becomes this. Only where every match of the rule is by PathPrefix."
        ),
        rules: [.exactlyOne(of: ["replaceFullPath", "replacePrefixMatch"])]
    ) { _, _, full, prefix in
        full.map { .replaceFullPath($0) } ?? prefix.map { .replacePrefixMatch($0) }
    }
}
