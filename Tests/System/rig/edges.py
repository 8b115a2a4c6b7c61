"""Values at the edge of what a field of a document may be, and BAD_ ones beyond it."""

COMBINING = "\u0301"  # makes one character, to Swift, with whatever stands before it
NAMES = ["a", "A", "0", "web", "Web", "x.y_z-", "a..b", "n" * 253]
BAD_NAMES = ["", "-a", "a/b", "a b", "é", "n" * 254]
LABEL = "l" * 63
HOSTS = [
    "a", "web.example.com", "Web.Example.COM", "*.example.com", "*.a", "xn--bcher-kva.example", "_a._tcp.b", "1.2.3.4",
    "0", "localhost", f"{LABEL}.com", f"{LABEL}.{LABEL}.{LABEL}.{LABEL[:61]}",
    f"*.{LABEL}.{LABEL}.{LABEL}.{LABEL[:61]}",
]
BAD_HOSTS = [
    "", "*", "*.", "a.*", "*a.b", "a..b", ".a", "a.", "-a", "a-", "a:80", "é.com", "a\nb", "a\0", "[::1]", LABEL + "l",
    f"{LABEL}.{LABEL}.{LABEL}.{LABEL}", "a/b", "a b", "%", "*." + COMBINING,
]
ADDRESSES_4 = ["127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "10.0.0.1", "169.254.0.1"]
ADDRESSES_6 = [
    "::", "::1", "0:0::0:1", "0:0:0:0:0:0:0:1", "::ffff:1.2.3.4", "::FFFF:1.2.3.4", "::1.2.3.4", "fe80::1",
    "2001:DB8::1", "2001:0db8:0:0:0::1", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8", "ff02::1", "64:ff9b::1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4", "1:0:0:4:0:0:0:8", "1:0:0:4:5:0:0:8", "::ffff:0:0",
]
BAD_ADDRESSES = [
    "", "localhost", "1.2.3", "1.2.3.4.5", "010.0.0.1", "1.2.3.256", "0x7f.0.0.1", "1.2.3.4:80", "[::1]",
    "fe80::1%eth0", "::ffff:256.1.1.1", "1:2:3:4:5:6:7:8:9", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "12345::",
    "::1/64", "1.2.3.4\n",
]
TEXTS = [
    "a", "1", "true", " ", " a ", "a b", "\t", "%", "%%", "%%%", "100%", "%START_TIME%", "%REQ(:path)%", "%NOPE%", "%a",
    "a%2Fb", "%" + COMBINING, "%" + COMBINING + "A%", "\\", "\\1", "\\\\0", "\\" + COMBINING, "$1", "{}", "[]", "\"",
    "'", "a,b;c=d", "a&b=c?d", "é", "e" + COMBINING, COMBINING, "ß", "\u00a0", "\u2028", "\u200f", "\ufffd", "\uffff",
    "日本", "\U0001f600", "\U0010ffff", "x" * 255, "x" * 256, "x" * 1024, "x" * 8192, "%" * 8192, "é" * 4096,
]
BAD_TEXTS = ["\0", "a\0b", "a\nb", "\n", "\r", "a\r\nb", "\x01", "\x1f", "\x7f", "x" * 8193, "%" * 16385, "\ue000"]
PATHS = [
    "/", "/a", "/a/", "/a/b", "/a/b/", "/.", "/..", "/a/../b", "/%", "/%2F", "/%2f%5C", "/\\", "/\\1",
    "/a\\" + COMBINING, "/*", "/$1", "/{a}", "/a;b", "/a=b&c", "/a:b", "/:", "/é", "/e" + COMBINING, "/" + "日" * 300,
    "/\U0001f600", "/a.b", "/pkg.Service/Method", "/a" * 19, "/a" * 20, "/element" * 20, "/abcdefghi" * 10,
    "/" + "x" * 1023, "/%REQ(x)%",
]
# As proxies see them when they look for a route.
SEEN_PATHS = [path for path in PATHS if path.isascii() and not any(part in path for part in ("/.", "\\", "{", "%2"))] + [
    "/%2561", "/a%20b%c3%a9", "/..a", "/a%4",
]
BAD_PATHS = [
    "", "a", "//", "/a//b", "/?", "/a?b", "/#", "/a#b", "/a b", "/a\n", "/\0", "/\x7f", "/\t", "/\u2028", "/a" * 21,
    "/" + "x" * 1024, "/abcdefghij" * 30, "/a" * 512, "/" + COMBINING,
]
HEADERS = [
    "a", "X-Canary", "x_y", "!#$%&'*+.^_`|~-", "0", "content-length", "connection", "transfer-encoding", "te", "date",
    "cookie", "set-cookie", "x-forwarded-for", "x-envoy-upstream-service-time", "x-envoy-retry-on", "hosts", "h" * 256,
]
BAD_HEADERS = [
    "", "host", "Host", "HOST", ":path", ":authority", ":method", ":x", ":", "a:", "a b", "a\n", "é", "h" * 257,
]
METHODS = ["GET", "A", "M-SEARCH", "X_Y", "P9", "M" * 64]
BAD_METHODS = ["", "get", "G ET", "-A", "GÉT", "A\n"]
DURATIONS = ["1ms", "5s", "99999ms", "1m30s", "1h", "24h", "23h59m59s999ms", "0h1s"]
BAD_DURATIONS = ["", "0s", "0h0m0s", "24h1ms", "25h", "99999h", "99999h99999h99999h99999h", "1.5s", "-1s", "1", "1us"]
CONDITIONS = [
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited", "retriable-4xx",
    "refused-stream", "http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal", "resource-exhausted",
    "unavailable",
]
BAD_EXPRESSIONS = [
    "", "(", "[", "(?=a)", "(?<!a)", r"\1", "a**", "a{1001}", "[z-a]", r"\pX", "[a-z]{99}", "*", r"\x{1F600}",
    "a{0,1000}",
]
LIMITS = [0, 1, 1024, 2**31 - 1, 2**31, 2**32 - 1]
