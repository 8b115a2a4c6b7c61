// SPDX-License-Identifier: Apache-2.0

import Routing

extension DocumentKind {
    /// What a document of this kind looks like.
    var format: Format<Document.Body> {
        switch self {
        case .service: ServiceFormats.document
        case .gateway: GatewayFormats.document
        case .route: RouteFormats.document
        case .serviceDefaults: ServiceDefaultsFormats.document
        case .rawResource: RawResourceFormats.document
        }
    }

    /// The field `kind` of a document of this kind. Whoever reads the document has looked at it before.
    var field: Field<String> {
        Field("kind", .choice(of: [self.rawValue]), "What the document describes.")
    }
}

/// The fields that documents of every kind have, and the formats that several kinds share.
enum CommonFormats {
    /// That it is there is checked once for all kinds.
    static let name = Field("name", Format.name, "Unique among the documents of its kind, in all files.")

    static let gatewayName = Format<String>.name.map { GatewayName($0) }
}
