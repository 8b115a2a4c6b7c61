// SPDX-License-Identifier: Apache-2.0

/// The last known good of every source, to start from when a source cannot be heard.
package struct StoredCatalog: Hashable, Sendable {
    package struct Document: Hashable, Sendable {
        package var path: String
        package var bytes: [UInt8]

        package init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    /// Nil for a part that the source had not told.
    package struct Source: Hashable, Sendable {
        /// When each part was last known to be so, in seconds since 1970.
        package private(set) var heardAt: [CatalogGuard.Part: Int64]
        package let services: [Service]?
        package let configEntries: [ConfigEntry]?
        package let documents: [Document]?

        /// - Parameter heardAt: of each part that is given.
        package init(
            heardAt: (CatalogGuard.Part) -> Int64,
            services: [Service]? = nil,
            configEntries: [ConfigEntry]? = nil,
            documents: [Document]? = nil
        ) {
            self.heardAt = [:]
            self.services = services
            self.configEntries = configEntries
            self.documents = documents
            if services != nil { self.heardAt[.services] = heardAt(.services) }
            if configEntries != nil { self.heardAt[.configEntries] = heardAt(.configEntries) }
            if documents != nil { self.heardAt[.documents] = heardAt(.documents) }
        }

        /// - Parameter heardAt: of all of it.
        package init(
            heardAt: Int64,
            services: [Service]? = nil,
            configEntries: [ConfigEntry]? = nil,
            documents: [Document]? = nil
        ) {
            self.init(
                heardAt: { _ in heardAt },
                services: services,
                configEntries: configEntries,
                documents: documents
            )
        }

        package var parts: Set<CatalogGuard.Part> { Set(self.heardAt.keys) }
    }

    /// An allocation that is over by Nomad's word while something is still registered of it. No service has that, so that
    /// nothing else tells that it is not to come back.
    package struct EndedAllocation: Hashable, Sendable {
        package var allocation: Allocation
        /// By the word of the server alone.
        package var isLost: Bool

        package init(_ allocation: Allocation, isLost: Bool) {
            self.allocation = allocation
            self.isLost = isLost
        }
    }

    /// More are not kept: each is a registration that somebody forgot.
    package static let maximumEnded = 10_000

    /// In seconds since 1970.
    package var savedAt: Int64
    package var sources: [SourceName: Source]
    /// In the order of their IDs.
    package var ended: [EndedAllocation]

    package init(savedAt: Int64, sources: [SourceName: Source] = [:], ended: [EndedAllocation] = []) {
        self.savedAt = savedAt
        self.sources = sources
        self.ended = ended
    }
}
