// SPDX-License-Identifier: Apache-2.0

/// What all simulated proxies know together, each thing once: names by number, and encoded lists of names.
struct SharedNames {
    /// The route configuration that every listener is assumed to name.
    let route = EncodedNames([Array("routes".utf8)])
    private var tables = Array(repeating: NameTable(), count: ResourceType.allCases.count)
    private var lists: [UInt64: EncodedNames] = [:]

    mutating func index(of name: UnsafeRawBufferPointer, _ type: ResourceType) -> NameTable.Index {
        self.tables[type.rawValue].index(of: name)
    }

    /// The number of endpoints that somebody has got.
    func endpoints(_ name: String) -> NameTable.Index? {
        self.tables[ResourceType.endpoints.rawValue].known(name)
    }

    /// The names of clusters as a request lists them, sorted.
    /// - Parameter digest: equal for equal sets; then the list is that of the first who asked.
    mutating func clusterList(_ indices: some Sequence<NameTable.Index>, digest: UInt64) -> EncodedNames {
        if let list = self.lists[digest] { return list }
        let table = self.tables[ResourceType.cluster.rawValue]
        let names = indices.map { table.names[$0] }.sorted { $0.lexicographicallyPrecedes($1) }
        let list = EncodedNames(names)
        self.lists[digest] = list
        return list
    }
}
