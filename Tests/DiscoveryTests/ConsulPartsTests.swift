// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import Testing

@testable import Discovery

struct ConsulSelectionTests {
    @Test(arguments: [
        (["*"], "web", true), (["*"], "consul", false), (["web"], "web", true), (["web"], "web2", false),
        (["web*"], "web2", true), (["web*"], "we", false), (["a", "b*", "c"], "c", true), ([], "web", false),
        (["consul"], "consul", false), (["w*b"], "web", false),
    ])
    func `names are chosen by patterns`(patterns: [String], name: String, isTaken: Bool) {
        #expect(ConsulSelection(patterns: patterns, isExposedByDefault: true).takes(name, tags: []) == isTaken)
    }

    @Test(arguments: [
        (true, [], true), (false, [], false), (false, ["signalbox.enable=true"], true),
        // That is for each instance to say.
        (true, ["signalbox.enable=false"], true), (false, ["signalbox.enable=true", "signalbox.enable=false"], true),
        (true, ["v1", "signalbox.enable=maybe"], true), (false, ["other.enable=true"], false),
    ])
    func `a service says whether it is exposed`(byDefault: Bool, tags: [String], isTaken: Bool) {
        #expect(ConsulSelection(patterns: ["*"], isExposedByDefault: byDefault).takes("web", tags: tags) == isTaken)
    }

    @Test func `our tags begin with what was chosen`() {
        let selection = ConsulSelection(patterns: ["*"], isExposedByDefault: false, tagPrefix: "edge.")
        #expect(selection.takes("web", tags: ["edge.enable=true"]))
        #expect(!selection.takes("web", tags: ["signalbox.enable=true"]))
        #expect(selection.leavesOut(tags: ["v1", "edge.enable=false"]))
        #expect(!selection.leavesOut(tags: ["signalbox.enable=false"]))
    }
}

struct AllowanceTests {
    @Test func `the first work is at once, and a share of the time after it`() {
        var allowance = Allowance(burst: .milliseconds(500), share: 0.2)
        #expect(allowance.earliest(at: .seconds(1)) == .seconds(1))
        allowance.spend(.milliseconds(500), at: .seconds(1))
        #expect(allowance.earliest(at: .seconds(1)) == .seconds(1))
        allowance.spend(.milliseconds(300), at: .seconds(1))
        #expect(allowance.earliest(at: .seconds(1)) == .milliseconds(2500))
        #expect(allowance.earliest(at: .seconds(2)) == .milliseconds(2500))
        #expect(allowance.earliest(at: .seconds(3)) == .seconds(3))
    }
}

struct ConsulEffectsTests {
    @Test func `so many questions are taken back at a time, and more when the server has let go of them`() {
        var effects = ConsulEffects(seed: 1)
        func take(_ count: Int) -> Int {
            (0..<count).count { number in
                let request = effects.send(ConsulQuery(.services, index: UInt64(number + 1), wait: .seconds(60)))
                return effects.cancel(request)
            }
        }
        #expect(take(100) == ConsulEffects.maximumHeld)
        effects.now = .seconds(70)
        #expect(take(100) == ConsulEffects.maximumHeld)
    }

    @Test func `what does not wait is taken back at any time`() {
        var effects = ConsulEffects(seed: 1)
        let taken = (0..<100).count { _ in effects.cancel(effects.send(ConsulQuery(.services))) }
        #expect(taken == 100)
    }
}

struct ConsulInquiryTests {
    /// Another namespace than the one that is wanted would be followed.
    @Test(arguments: [
        ConsulFailure(APIError(.status, "no leader", status: 500, meaning: .noLeader)),
        ConsulFailure(reason: .decoding, message: "HTML"), ConsulFailure(reason: .timeout, message: ""),
        ConsulFailure(APIError(.status, "slowly", status: 429)),
        ConsulFailure(APIError(.status, "ACL not found", status: 403, meaning: .unknownToken)),
    ])
    func `an agent that cannot say what it is just now is asked again`(failure: ConsulFailure) {
        var inquiry = ConsulInquiry(ConsulConfiguration(namespace: "team"))
        var effects = ConsulEffects(seed: 1)
        inquiry.ask(&effects)
        inquiry.failed(failure, &effects)
        #expect(!inquiry.isScopeKnown && inquiry.due != nil)
        effects.now = .seconds(10)
        inquiry.ask(&effects)
        inquiry.failed(ConsulFailure(APIError(.status, "Permission denied", status: 403)), &effects)
        #expect(inquiry.isScopeKnown && inquiry.due == nil)
    }
}

struct ConsulLimitsTests {
    @Test(arguments: 1...ConsulConfiguration.maximumDatacenters)
    func `all datacenters together stay within the connections`(count: Int) {
        let limits = ConsulFollower.limits(datacenters: count)
        let each = 5 + limits.readers + limits.focus
        let shared = ConsulPolicy.kinds.count + 2 + max(ConsulFollower.probers, count * limits.probers)
        #expect(count * each + shared <= ConsulConfiguration.maximumConnections)
        #expect(limits.readers >= 2)
    }
}
