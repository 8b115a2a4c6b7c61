// SPDX-License-Identifier: Apache-2.0

/// Documents that the reader takes, written in every way that is odd: to be damaged.
package enum OddDocuments {
    package static let yaml = """
        kind: service
        name: web
        instances:
        - {id: web-1, address: "::1", port: 9001, weight: 1, tags: [stable], meta: {version: v1}, health: passing}
        - address: 10.0.0.1
          port: 80
          locality: {region: r, zone: z, subZone: s}
        ---
        {"kind": "gateway", "name": "edge", "proxies": {"ids": ["edge-*"]}, "listeners": [{"name": "http", "port": 1}]}
        ---
        kind: route
        name: web
        hostnames: [web.example.com, "*.example.org"]
        gateways: [edge/http]
        rules:
        - matches: [{path: {type: RegularExpression, value: "/(a|b)+"}, headers: [{name: x, value: "yes"}]}]
          backends: [{service: web, subset: {tags: [stable]}, weight: 90}]
          timeout: 1m30s
          retry: {attempts: 2, codes: [503], retryOn: [reset]}
        - redirect:
            scheme: https
            path: {replaceFullPath: /x}
            hostname: >-
              example.com
        ...
        kind: envoy-resource
        name: x
        gateways: [edge]
        ttl: 10s
        resource: {"@type": t, a: [1, 2.5, .nan, ~, {b: true}]}
        """
}
