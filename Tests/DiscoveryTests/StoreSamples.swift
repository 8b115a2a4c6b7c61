// SPDX-License-Identifier: Apache-2.0

import Catalog
import TestSupport

extension StoredCatalog {
    /// With something in every field.
    static let sample = StoredCatalog(
        savedAt: 1_762_164_000,
        sources: [
            .consul: Source(
                heardAt: 1_762_163_999,
                services: [
                    Service(
                        name: ServiceName("web"),
                        instances: [
                            Instance(
                                id: InstanceID("node-1/web-1"),
                                address: "10.0.0.1",
                                port: 65535,
                                weight: Weight(7) ?? .default,
                                tags: ["v1", "a\"b\\c\n\u{1}\u{7F}é\u{1F600}"],
                                meta: ["version": "1", "": ""],
                                health: .warning,
                                locality: Locality(region: "r", zone: "z", subZone: "s"),
                                datacenter: "dc1",
                                node: "node-1",
                                nodeMeta: ["rack": "7"],
                                allocation: Allocation(
                                    id: "a",
                                    namespace: "n",
                                    job: "j",
                                    jobVersion: .max,
                                    group: "g",
                                    deployment: "d",
                                    isCanary: true,
                                    nodeID: "i"
                                ),
                                isDraining: true,
                                origin: Origin(file: "consul/web", line: 3)
                            )
                        ],
                        origin: Origin(file: "consul/web", line: 1)
                    ), Service(name: ServiceName("empty"), instances: [], origin: Origin(file: "consul/empty")),
                ],
                configEntries: [
                    ConfigEntry(
                        key: ConfigEntry.Key(kind: "service-router", name: "web"),
                        json: Array(#"{"Kind": "service-router"}"#.utf8),
                        origin: Origin(file: "consul")
                    )
                ],
                documents: [Document(path: "a.yaml", bytes: [0, 0xFF, 0x7F]), Document(path: "b.yaml", bytes: [])]
            ), .nomad: Source(heardAt: -1, services: []), .file: Source(heardAt: .max),
        ],
        ended: [
            EndedAllocation(Allocation(id: "b", namespace: "n", job: "j", jobVersion: 1, group: "g"), isLost: false),
            EndedAllocation(Allocation(id: "c", namespace: "n", job: "j", jobVersion: 2, group: "g"), isLost: true),
        ]
    )

    static let small = StoredCatalog(
        savedAt: 5,
        sources: [
            .consul: Source(
                heardAt: 5,
                services: [
                    Service(
                        name: ServiceName("w"),
                        instances: [
                            Instance(id: InstanceID("1"), address: "10.0.0.1", port: 80, origin: Origin(file: "c"))
                        ],
                        origin: Origin(file: "c")
                    )
                ]
            )
        ]
    )

    static func random(_ random: inout SeededGenerator) -> StoredCatalog {
        func text() -> String {
            String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0...12, using: &random)).compactMap { _ in
                        Unicode.Scalar(
                            UInt32.random(in: Bool.random(using: &random) ? 0...0x7F : 0...0x10FFFF, using: &random)
                        )
                    }
                )
            )
        }
        func instance(_ number: Int) -> Instance {
            var one = Instance(id: InstanceID("\(number)"), address: text(), port: 1, origin: Origin(file: text()))
            one.tags = Set((0..<3).map { _ in text() })
            one.meta = Dictionary((0..<3).map { _ in (text(), text()) }, uniquingKeysWith: { $1 })
            one.health = Instance.Health.allCases.randomElement(using: &random) ?? .passing
            one.node = text()
            return one
        }
        return StoredCatalog(
            savedAt: Int64.random(in: 0...1 << 40, using: &random),
            sources: [
                .nomad: Source(
                    heardAt: Int64.random(in: 0...1 << 40, using: &random),
                    services: (0..<3).map { number in
                        Service(
                            name: ServiceName("\(number)\(text())"),
                            instances: (0..<3).map(instance),
                            origin: Origin(file: text())
                        )
                    },
                    documents: [
                        Document(path: text(), bytes: (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) })
                    ]
                )
            ]
        )
    }
}
