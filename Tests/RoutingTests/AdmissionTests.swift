// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

struct AdmissionTests {
    private let web = service("web", [instance("web-1")])
    private let api = service("api", [instance("api-1")])

    @Test func `what holds together is admitted as it is`() {
        let candidate = policy(routes: [route("web"), route("api", gateways: ["edge/http"], to: "api")])
        let admitted = admit(candidate: candidate, catalog: Catalog([self.web, self.api]), previous: nil)
        #expect(admitted == Admitted(policy: candidate, catalog: Catalog([self.web, self.api])))
    }

    @Test(arguments: [
        (route("bad", gateways: ["nope"]), "error SB201 bad.yaml:2 route/bad"),
        (route("bad", gateways: ["edge", "nope"]), "error SB201 bad.yaml:3 route/bad"),
        (route("bad", gateways: ["edge/nope"]), "error SB202 bad.yaml:2 route/bad"),
        (route("bad", to: "nope"), "error SB203 route.yaml:11 route/bad"),
        (
            route("bad", rules: [rule(), rule(to: [backend("web"), backend("nope", weight: 0, line: 40)])]),
            "error SB203 route.yaml:40 route/bad"
        ),
    ])
    func `on a cold start a dangling reference costs its own document and no other`(bad: Route, finding: String) {
        let good = route("good")
        let admitted = admit(candidate: policy(routes: [bad, good]), catalog: Catalog([self.web]), previous: nil)
        #expect(admitted.policy.routes == [good.name: good])
        #expect(admitted.diagnostics.findings == [finding])
        #expect(admitted.diagnostics.first?.message.contains("left out") == true)
    }

    @Test(arguments: [
        route("web", gateways: ["nope"]), route("web", gateways: ["edge/nope"]), route("web", to: "nope"),
    ])
    func `the last good version of a route whose new one dangles stays in force`(bad: Route) {
        let good = route("web")
        let before = admit(candidate: policy(routes: [good]), catalog: Catalog([self.web]), previous: nil)
        var now = admit(candidate: policy(routes: [bad]), catalog: Catalog([self.web]), previous: before)
        #expect(now.policy.routes == [good.name: good])
        #expect(now.diagnostics.count == 1)
        #expect(now.diagnostics.first?.message.contains("last good version") == true)

        // It stays so however often the same is read again, until it is right.
        now = admit(candidate: policy(routes: [bad]), catalog: Catalog([self.web]), previous: now)
        #expect(now.policy.routes == [good.name: good])
        let fixed = route("web", hostnames: ["h"])
        now = admit(candidate: policy(routes: [fixed]), catalog: Catalog([self.web]), previous: now)
        #expect(now.policy.routes == [fixed.name: fixed])
        #expect(now.diagnostics == [])
    }

    @Test func `a service that a source has and settings leave out is told with the setting`() {
        let untaken = Untaken(reason: "consul.services does not have it", cure: "add it")
        let admitted = admit(
            candidate: policy(routes: [route("web", to: "hidden"), route("api", to: "nope")]),
            catalog: Catalog([self.web]),
            previous: nil,
            untaken: [.consul: [ServiceName("hidden"): untaken]]
        )
        #expect(admitted.policy.routes == [:])
        #expect(
            Set(admitted.diagnostics.map { "\($0.code) \($0.message) (\($0.cure))" }) == [
                "SB203 the service 'hidden' is in consul and not taken: consul.services does not have it; it is left out (add it)",
                "SB203 no service is named 'nope'; it is left out "
                    + "(correct the name, or write a service document of that name (it may have no instances))",
            ]
        )
    }

    @Test func `a last good version that does not hold any more is not in force either`() {
        let before = admit(
            candidate: policy(gateways: [gateway("edge"), gateway("old")], routes: [route("web", gateways: ["old"])]),
            catalog: Catalog([self.web]),
            previous: nil
        )
        let now = admit(
            candidate: policy(routes: [route("web", to: "nope")]),
            catalog: Catalog([self.web]),
            previous: before
        )
        #expect(now.policy.routes == [:])
        #expect(now.diagnostics.findings == ["error SB203 route.yaml:11 route/web"])
    }

    @Test(arguments: [1, 100])
    func `a service that disappears under an unchanged route keeps its last instances`(line: Int) {
        let before = admit(candidate: policy(routes: [route("web")]), catalog: Catalog([self.web]), previous: nil)
        // On line 100: that the document moved within its file does not make it another.
        let moved = route("web", line: line)
        var now = before
        for _ in 1...3 {
            now = admit(candidate: policy(routes: [moved]), catalog: Catalog([self.api]), previous: now)
            #expect(now.policy.routes == [moved.name: moved])
            #expect(now.catalog == Catalog([self.web, self.api]))
            #expect(now.diagnostics.findings == ["error SB207 route.yaml:\(line + 10) service/web"])
        }
        now = admit(candidate: policy(routes: [route("api", to: "api")]), catalog: Catalog([self.api]), previous: now)
        #expect(now.catalog == Catalog([self.api]))
        #expect(now.diagnostics == [])
    }

    @Test func `a service that disappears under a route's last good version keeps its last instances`() {
        let good = route("web")
        let before = admit(candidate: policy(routes: [good]), catalog: Catalog([self.web, self.api]), previous: nil)
        let edited = route("web", hostnames: ["h"])
        let now = admit(candidate: policy(routes: [edited]), catalog: Catalog([self.api]), previous: before)
        #expect(now.policy.routes == [good.name: good])
        #expect(now.catalog == Catalog([self.web, self.api]))
        #expect(
            now.diagnostics.findings == [
                "error SB203 route.yaml:11 route/web", "error SB207 route.yaml:11 service/web",
            ]
        )
    }

    @Test func `a remembered service takes no new routes`() {
        let before = admit(candidate: policy(routes: [route("web")]), catalog: Catalog([self.web]), previous: nil)
        let now = admit(
            candidate: policy(routes: [route("web"), route("new")]),
            catalog: Catalog([]),
            previous: before
        )
        #expect(now.policy.routes.keys.map(\.rawValue) == ["web"])
        #expect(now.diagnostics.findings.contains("error SB203 route.yaml:11 route/new"))
    }

    @Test func `a service that nothing leads to is gone when it is gone`() {
        let before = admit(candidate: policy(), catalog: Catalog([self.web]), previous: nil)
        let now = admit(candidate: policy(), catalog: Catalog([]), previous: before)
        #expect(now == Admitted(policy: policy()))
    }

    @Test func `a gateway that disappears leaves unchanged routes to their other gateways`() {
        let both = route("both", gateways: ["edge", "old"])
        let only = route("only", gateways: ["old"])
        let before = admit(
            candidate: policy(gateways: [gateway("edge"), gateway("old")], routes: [both, only]),
            catalog: Catalog([self.web]),
            previous: nil
        )
        let now = admit(candidate: policy(routes: [both, only]), catalog: Catalog([self.web]), previous: before)
        #expect(now.policy == policy(routes: [both]))
        #expect(
            now.diagnostics.findings == [
                "error SB201 both.yaml:3 route/both", "error SB201 only.yaml:2 route/only",
            ]
        )
    }

    @Test func `an untranslated resource is admitted by its gateways`() {
        func raw(_ json: String, _ gateways: [String]) -> RawResource {
            RawResource(
                name: "raw",
                gateways: gateways.map { GatewayName($0) },
                json: json,
                origin: Origin(file: "raw.yaml", line: 3)
            )
        }
        let finding = "error SB201 raw.yaml:3 envoy-resource/raw"
        let cold = admit(candidate: policy(raw: [raw("1", ["nope"])]), catalog: Catalog([]), previous: nil)
        #expect(cold.policy.rawResources == [:])
        #expect(cold.diagnostics.findings == [finding])

        let before = admit(candidate: policy(raw: [raw("1", ["edge"])]), catalog: Catalog([]), previous: nil)
        let now = admit(candidate: policy(raw: [raw("2", ["nope"])]), catalog: Catalog([]), previous: before)
        #expect(now.policy.rawResources == ["raw": raw("1", ["edge"])])
        #expect(now.diagnostics.findings == [finding])
    }

    @Test func `diagnostics are in the order of their places`() {
        let routes = ["c", "a", "d", "b"].map { route($0, gateways: ["x", "y"]) }
        let admitted = admit(candidate: policy(routes: routes), catalog: Catalog([self.web]), previous: nil)
        #expect(
            admitted.diagnostics.map(\.origin.description) == [
                "a.yaml:2", "a.yaml:3", "b.yaml:2", "b.yaml:3", "c.yaml:2", "c.yaml:3", "d.yaml:2", "d.yaml:3",
            ]
        )
    }
}
