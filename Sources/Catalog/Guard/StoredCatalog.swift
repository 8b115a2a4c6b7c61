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
        /// When this was last known to be so, in seconds since 1970.
        package var heardAt: Int64
        package var services: [Service]?
        package var configEntries: [ConfigEntry]?
        package var documents: [Document]?

        package init(
            heardAt: Int64,
            services: [Service]? = nil,
            configEntries: [ConfigEntry]? = nil,
            documents: [Document]? = nil
        ) {
            self.heardAt = heardAt
            self.services = services
            self.configEntries = configEntries
            self.documents = documents
        }
    }

    /// In seconds since 1970.
    package var savedAt: Int64
    package var sources: [SourceName: Source]

    package init(savedAt: Int64, sources: [SourceName: Source] = [:]) {
        self.savedAt = savedAt
        self.sources = sources
    }
}
