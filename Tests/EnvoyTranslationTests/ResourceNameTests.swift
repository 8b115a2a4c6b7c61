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
        (Subset(tags: ["a&tag=b"]), "web?tag=a%26tag%3Db"),
        (Subset(isCanary: false), "web?canary=false"),
        (Subset(tags: ["a"], isCanary: true), "web?tag=a&canary=true"),
        (Subset(meta: ["a=b": "c%?"]), "web?meta.a%3Db=c%25%3F"),
    ])
    func `a target is named after its service and subset`(subset: Subset, name: String) {
        #expect(TargetID(service: ServiceName("web"), subset: subset).clusterName == name)
    }

    @Test func `a service cannot take the name of another's subset`() {
        let name = TargetID(service: ServiceName("web?tag=a")).clusterName
        #expect(name != TargetID(service: ServiceName("web"), subset: Subset(tags: ["a"])).clusterName)
    }
}
