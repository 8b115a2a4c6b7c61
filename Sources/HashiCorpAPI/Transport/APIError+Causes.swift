// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension APIError {
    /// What a failure of the transport means to an operator.
    ///
    /// - Parameter limit: of the body, in bytes.
    init(_ cause: any Error, of configuration: APIConfiguration, limit: Int) {
        let peer = "\(configuration.product.name) at \(configuration.address)"
        switch cause {
        case let error as APIError:
            self = error
        case is CancellationError:
            self.init(.cancelled, "the request to \(peer) was given up")
        case is ResponseAccumulator.ResponseTooBigError, is LineSplitter.LineTooLong:
            self = .tooLarge(peer, limit: limit)
        case let error as ByteBudget.Exceeded:
            self.init(.tooLarge, "\(peer) sends more than \(error.limit) bytes in answers at the same time")
        case let error as HTTPClientError:
            self = Self.of(error, peer: peer, timeout: configuration.connectTimeout)
        case let error as NIOConnectionError:
            self.init(.unreachable, "\(peer) cannot be reached: \(Self.reason(error))")
        case ChannelError.connectTimeout:
            self.init(.unreachable, "\(peer) cannot be reached: no connection in \(configuration.connectTimeout)")
        case let error as IOError:
            self.init(.unreachable, "\(peer) cannot be reached: \(Self.reason(error))")
        case is HTTPParserError:
            self = Self.of(parsing: cause, peer: peer)
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            self = Self.of(tls: cause, peer: peer)
        case is ChannelError:
            self.init(.unreachable, "\(peer) \(Self.cutOff)")
        default:
            self.init(.unreachable, "\(peer) cannot be asked: \(Self.printable("\(cause)"))")
        }
        let isCutOff = self.message.hasSuffix(Self.cutOff) || self.message.hasSuffix(Self.reset)
        if isCutOff, configuration.address.isTLS, configuration.tls.certificateFile == nil {
            // With TLS 1.3 a client is done with the handshake before its certificate is missed, and why the server closes the
            // connection then is lost with it if the client has already sent something.
            self.message += "; if it wants to know its clients, name a client certificate and key"
        }
    }

    private static let cutOff = "closed the connection before its answer was complete"
    private static let reset = "connection reset"

    static func tooLarge(_ peer: String, limit: Int) -> APIError {
        APIError(.tooLarge, "\(peer) sends more at once than the \(limit) bytes that are taken")
    }

    private static func of(_ error: HTTPClientError, peer: String, timeout: Duration) -> APIError {
        switch error {
        case .deadlineExceeded, .readTimeout, .writeTimeout:
            APIError(.timedOut, "\(peer) did not answer in time")
        case .connectTimeout, .getConnectionFromPoolTimeout:
            APIError(.unreachable, "\(peer) cannot be reached: no connection in \(timeout)")
        case .tlsHandshakeTimeout:
            APIError(.unreachable, "\(peer) cannot be reached: no TLS handshake in \(timeout)")
        case .cancelled, .alreadyShutdown, .requestStreamCancelled:
            APIError(.cancelled, "the request to \(peer) was given up")
        case .remoteConnectionClosed, .uncleanShutdown:
            APIError(.unreachable, "\(peer) \(cutOff)")
        case .invalidURL, .emptyHost, .missingSocketPath, .emptyScheme:
            APIError(.invalid, "\(peer) cannot be asked: its address makes no URL")
        default:
            APIError(.invalid, "\(peer) cannot be asked: \(error.shortDescription)")
        }
    }

    private static func of(parsing error: any Error, peer: String) -> APIError {
        switch error as? HTTPParserError {
        case .headerOverflow: APIError(.tooLarge, "\(peer) sends more headers than are taken")
        case .invalidEOFState:
            APIError(.unreachable, "\(peer) \(cutOff)")
        default:
            APIError(.malformed, "\(peer) does not answer in HTTP (\(printable("\(error)"))); is that its HTTP port?")
        }
    }

    private static func of(tls error: any Error, peer: String) -> APIError {
        if case NIOSSLError.uncleanShutdown = error {
            return APIError(.unreachable, "\(peer) \(cutOff)")
        }
        let text = printable("\(error)")
        let reason =
            switch text {
            case _ where text.contains("CERTIFICATE_VERIFY_FAILED"), _ where text.contains("unableToValidate"):
                "its certificate is not signed by an authority that is trusted here, or is not valid now; name its CA"
            case _ where text.contains("failedToValidateHostname"):
                "its certificate is made out to another name; set the TLS server name to one that it has"
            case _ where text.contains("WRONG_VERSION_NUMBER"):
                "it does not speak TLS on that port"
            case _ where text.contains("CERTIFICATE_REQUIRED"), _ where text.contains("BAD_CERTIFICATE"),
                _ where text.contains("UNKNOWN_CA"), _ where text.contains("HANDSHAKE_FAILURE"):
                "it does not accept our certificate (\(text)); name a client certificate and key that it trusts"
            default: text
            }
        return APIError(.tls, "\(peer): no TLS: \(reason)")
    }

    private static func reason(_ error: NIOConnectionError) -> String {
        if let failure = error.connectionErrors.first { return self.reason(failure.error) }
        let lookup = error.dnsAError ?? error.dnsAAAAError
        guard let lookup else { return "no connection" }
        return "the name \(error.host) has no address (\(printable("\(lookup)")))"
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? IOError else {
            if case ChannelError.connectTimeout = error { return "no connection in time" }
            return printable("\(error)")
        }
        return switch error.errnoCode {
        case ECONNREFUSED: "connection refused; is it running, and is the address right?"
        case ECONNRESET, EPIPE: reset
        case EHOSTUNREACH, ENETUNREACH: "no route to it"
        case ETIMEDOUT: "no connection in time"
        case ENOENT: "no such socket"
        case EACCES: "no permission to use the socket"
        case EMFILE, ENFILE: "too many files are open here"
        default: printable(error.description)
        }
    }
}
