// SPDX-License-Identifier: Apache-2.0

/// A `DiscoveryRequest`, as far as the protocol needs it.
package struct SotWRequest: Hashable, Sendable {
    package var type: TypeURL
    /// Everything that the client wants of the type now; nil: the same as in its last request of the type.
    package var resourceNames: [ResourceName]?
    /// `resourceNames` as a set, if they are a list that many streams share.
    package var nameSet: Set<ResourceName>?
    /// The version that the client last accepted.
    package var versionInfo: String
    /// Of the response that this answers; empty in the first request of a type.
    package var responseNonce: Nonce
    /// Present exactly in a NACK: the client's words.
    package var errorDetail: String?

    package init(
        type: TypeURL,
        resourceNames: [ResourceName]? = [],
        versionInfo: String = "",
        responseNonce: Nonce = Nonce(""),
        errorDetail: String? = nil
    ) {
        self.type = type
        self.resourceNames = resourceNames
        self.versionInfo = versionInfo
        self.responseNonce = responseNonce
        self.errorDetail = errorDetail
    }
}

/// A `DeltaDiscoveryRequest`, as far as the protocol needs it.
package struct DeltaRequest: Hashable, Sendable {
    package var type: TypeURL
    package var subscribe: [ResourceName]
    /// `subscribe` as a set, if it is a list that many streams share.
    package var subscribeSet: Set<ResourceName>?
    package var unsubscribe: [ResourceName]
    /// What a client that reconnects holds. Only looked at in the first request of a type.
    package var initialResourceVersions: [ResourceName: String]
    /// Of the response that this answers; empty if it answers none.
    package var responseNonce: Nonce
    /// Present exactly in a NACK: the client's words.
    package var errorDetail: String?

    package init(
        type: TypeURL,
        subscribe: [ResourceName] = [],
        unsubscribe: [ResourceName] = [],
        initialResourceVersions: [ResourceName: String] = [:],
        responseNonce: Nonce = Nonce(""),
        errorDetail: String? = nil
    ) {
        self.type = type
        self.subscribe = subscribe
        self.unsubscribe = unsubscribe
        self.initialResourceVersions = initialResourceVersions
        self.responseNonce = responseNonce
        self.errorDetail = errorDetail
    }
}
