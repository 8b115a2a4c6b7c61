// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import SwiftProtobuf

/// One resource as a message, not encoded and without a version yet.
package struct TranslatedResource: Sendable {
    package enum Kind: Hashable, Sendable, CaseIterable {
        case cluster
        case endpoints
        case listener
        case routeConfiguration
    }

    package var kind: Kind
    /// What proxies ask for it by. Unique within its kind.
    package var name: String
    package var message: any Message
    /// The document to look at if a proxy refuses it.
    package var origin: Origin?

    package init(kind: Kind, name: String, message: any Message, origin: Origin?) {
        self.kind = kind
        self.name = name
        self.message = message
        self.origin = origin
    }
}
