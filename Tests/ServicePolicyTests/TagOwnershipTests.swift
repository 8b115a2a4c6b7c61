// SPDX-License-Identifier: Apache-2.0

import Catalog
import ServicePolicy
import Testing

struct TagOwnershipTests {
    private static func verdict(_ rules: [String], _ host: String, _ service: String) throws -> HostOwnership.Verdict {
        try HostOwnership(parsing: rules).verdict(on: host, for: ServiceName(service))
    }

    @Test(arguments: [
        ("web.example.com", HostOwnership.Verdict.permitted), ("web", .permitted), ("*.example.com", .permitted),
        ("*.shop.example.com", .permitted), ("*.example.co.uk", .permitted), ("*.b.uk", .permitted),
        ("*", .tooWide), ("*.com", .tooWide), ("*.co.uk", .tooWide), ("*.com.br", .tooWide), ("*.local", .tooWide),
    ])
    func `without rules only what is as wide as a registry is refused`(host: String, verdict: HostOwnership.Verdict)
        throws
    {
        #expect(try Self.verdict([], host, "web") == verdict)
    }

    @Test(arguments: [
        ("a.shop.example.com", "shop-cart", HostOwnership.Verdict.permitted),
        ("a.b.shop.example.com", "shop-", .permitted),
        ("*.shop.example.com", "shop-cart", .permitted),
        ("*.b.shop.example.com", "shop-cart", .permitted),
        ("shop.example.com", "shop-cart", .notOwned),
        ("eshop.example.com", "shop-cart", .notOwned),
        ("*.example.com", "shop-cart", .notOwned),
        ("a.shop.example.com", "shop", .notOwned),
        ("a.shop.example.com", "web", .notOwned),
        ("pay.example.com", "checkout", .permitted),
        ("pay.example.com", "billing", .permitted),
        ("buy.example.com", "checkout", .permitted),
        ("pay.example.com", "checkout-2", .notOwned),
        ("*.com", "checkout", .tooWide),
    ])
    func `with rules a host may be claimed if one of them says so`(
        host: String,
        service: String,
        verdict: HostOwnership.Verdict
    ) throws {
        let rules = ["*.Shop.example.com=shop-*", "pay.example.com | buy.example.com = checkout|billing"]
        #expect(try Self.verdict(rules, host, service) == verdict)
    }

    @Test func `a wide wildcard needs a rule of just that pattern`() throws {
        #expect(try Self.verdict(["*=web"], "*", "web") == .permitted)
        #expect(try Self.verdict(["*=web"], "a.example.com", "web") == .permitted)
        #expect(try Self.verdict(["*=web"], "*.com", "web") == .tooWide)
        #expect(try Self.verdict(["*.com=web"], "*.com", "web") == .permitted)
        #expect(try Self.verdict(["*.com=web"], "*.com", "api") == .tooWide)
    }

    @Test(arguments: [
        "", "=", "web.example.com", "web.example.com=", "=web", "a b=web", "*.*.example.com=web", "web.*=web",
        "https://web.example.com=web", "web.example.com:80=web", "web.example.com=*-web", "web.example.com=a|",
        "a||b=web", "web.example.com=a\u{1B}[31m", ".example.com=web", "*example.com=web",
    ])
    func `what is no rule is refused by name`(rule: String) {
        let error = #expect(throws: HostOwnership.BadRule.self) { try HostOwnership(parsing: ["*.a.b=ok", rule]) }
        #expect(error?.rule == rule)
        #expect(error?.description.contains("\u{1B}") == false)
    }
}
