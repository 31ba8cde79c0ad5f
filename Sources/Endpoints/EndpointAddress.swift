import Foundation

/// The address of an endpoint: checked, joined, and shown without what may be secret in it.
struct EndpointAddress: Sendable, Hashable {
    /// Where chat completions are posted.
    let completions: String
    /// Scheme, host, port and path, for messages: user names, passwords and queries are left out.
    let shown: String
    /// Whether a key may be sent there: encrypted, or to this machine only.
    let keepsSecrets: Bool

    /// - Parameter base: `https://host/v1`; `/chat/completions` is added where it is missing.
    /// - Throws: `EndpointError.addressInvalid`.
    init(base: String) throws(EndpointError) {
        guard var parts = URLComponents(string: base), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", let host = parts.host, !host.isEmpty
        else { throw .addressInvalid(address: Self.withoutSecrets(base)) }
        var path = parts.path
        while path.hasSuffix("/") { path.removeLast() }
        if !path.hasSuffix("/chat/completions") { path += "/chat/completions" }
        parts.path = path
        parts.fragment = nil
        guard let url = parts.string else { throw .addressInvalid(address: Self.withoutSecrets(base)) }
        completions = url
        parts.user = nil
        parts.password = nil
        parts.query = nil
        shown = parts.string ?? host
        keepsSecrets = scheme == "https" || Self.isLoopback(host)
    }

    static func isLoopback(_ host: String) -> Bool {
        let host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")).lowercased()
        if host == "localhost" || host == "::1" { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
    }

    /// A broken address may hold a password all the same.
    static func withoutSecrets(_ text: String) -> String {
        var text = Redactor.singleLine(String(text.prefix(200)))
        if let at = text.lastIndex(of: "@") { text = String(text[text.index(after: at)...]) }
        return String(text.prefix { $0 != "?" && $0 != "#" })
    }
}
