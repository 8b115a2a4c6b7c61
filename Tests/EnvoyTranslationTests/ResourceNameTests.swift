// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyTranslation
import Routing
import Testing

struct ResourceNameTests {
    @Test(arguments: [
        (Subset.all, "web"),
        (Subset(tags: ["b", "a"]), "web?tag=a&tag=b"),
        (Subset(meta: ["version": "v1", "k": "v"]), "web?meta.k=v&meta.version=v1"),
        (Subset(tags: ["a"], meta: ["k": "v"]), "web?tag=a&meta.k=v"),
        (Subset(nodeMeta: ["rack": "r1", "a=b": "c"]), "web?nodeMeta.a%3Db=c&nodeMeta.rack=r1"),
        (filter("Node.Meta.rack == r1 and Service.Meta.k == v"), "web?meta.k=v&nodeMeta.rack=r1"),
        (Subset(isCanary: true), "web?canary=true"),
        (Subset(onlyPassing: true), "web?passing"),
        (
            Subset(meta: ["k": "v"], onlyPassing: true, datacenters: ["dc2", "dc1"]),
            "web?meta.k=v&dc=dc1&dc=dc2&passing"
        ),
        (filter("Service.Meta.k != v"), "web?filter=Service.Meta[\"k\"] !%3D \"v\""),
        (Subset(tags: ["a&tag=b"]), "web?tag=a%26tag%3Db"),
        (Subset(isCanary: false), "web?canary=false"),
        (Subset(tags: ["a"], isCanary: true), "web?tag=a&canary=true"),
        (Subset(meta: ["a=b": "c%?"]), "web?meta.a%3Db=c%25%3F"),
    ])
    func `a target is named after its service and subset`(subset: Subset, name: String) {
        #expect(TargetID(service: ServiceName("web"), subset: subset).clusterName == name)
    }

    @Test func `a long expression is named by its beginning and a hash, and is nobody else's`() {
        let values = (0..<100).map { String(repeating: "x", count: 200) + String($0) }
        let names = values.map { value in
            TargetID(service: ServiceName("web"), subset: filter("Service.ID == \(value)")).clusterName
        }
        #expect(Set(names).count == 100)
        #expect(names.allSatisfy { $0.utf8.count <= 120 })
        #expect(names[0].hasPrefix("web?filter=Service.ID %3D%3D \"xxx"))
        #expect(names[0].hasSuffix("xxx~6abf7f340de7e22bf09074ff22a08eab"))
    }

    @Test(arguments: [
        ("signalbox/xds", "signalbox%2Fxds"), ("signalbox%2Fxds", "signalbox%252Fxds"), ("signalbox/", "signalbox%2F"),
        ("signalbox//a/b?c", "signalbox%2F/a/b%3Fc"), ("signalbox/\u{301}x", "signalbox%2F\u{301}x"),
        ("signalbox", "signalbox"), ("signalboxes/xds", "signalboxes/xds"), ("Signalbox/xds", "Signalbox/xds"),
        ("team/web", "team/web"), ("team/signalbox/xds", "team/signalbox/xds"),
    ])
    func `no service is named as what is ours, and others keep their names`(service: String, name: String) {
        let service = ServiceName(service)
        // Byte for byte: to Swift more texts are the same than to a proxy.
        #expect(Array(TargetID(service: service).clusterName.utf8) == Array(name.utf8))
        let subset = TargetID(service: service, subset: Subset(tags: ["a"])).clusterName
        #expect(Array(subset.utf8) == Array("\(name)?tag=a".utf8))
        #expect(!name.utf8.starts(with: "signalbox/".utf8))
    }

    @Test func `the control plane's own cluster is ours`() {
        #expect(controlPlaneClusterName == "signalbox/xds")
        #expect(ServiceName(controlPlaneClusterName).isLikeOurs)
    }

    @Test func `a service cannot take the name of another's subset`() {
        let name = TargetID(service: ServiceName("web?tag=a")).clusterName
        #expect(name != TargetID(service: ServiceName("web"), subset: Subset(tags: ["a"])).clusterName)
    }
}

private func filter(_ text: String) -> Subset {
    do {
        return Subset(try FilterExpression.parse(text))
    } catch {
        Issue.record(error)
        return .all
    }
}
