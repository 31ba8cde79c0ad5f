import Foundation

/// How often a failed request is sent again, and after how long: exponential back-off with jitter, unless the server says.
public struct RetryPolicy: Sendable, Hashable {
    /// Requests in all; 1 means that nothing is repeated.
    public var maximumAttempts: Int
    /// Seconds before the second request; doubled with every further one.
    public var firstDelaySeconds: Double
    /// Seconds that the back-off never exceeds.
    public var maximumDelaySeconds: Double
    /// Seconds that a `Retry-After` may ask for at most.
    public var maximumRetryAfterSeconds: Double

    public init(
        maximumAttempts: Int = 6, firstDelaySeconds: Double = 1, maximumDelaySeconds: Double = 60,
        maximumRetryAfterSeconds: Double = 300
    ) {
        self.maximumAttempts = maximumAttempts
        self.firstDelaySeconds = firstDelaySeconds
        self.maximumDelaySeconds = maximumDelaySeconds
        self.maximumRetryAfterSeconds = maximumRetryAfterSeconds
    }

    /// Seconds to wait after a failed attempt.
    ///
    /// - Parameters:
    ///   - attempt: counts from 1.
    ///   - retryAfter: seconds that the server asked for; obeyed, within the cap.
    ///   - jitter: from 0 to 1; the back-off is shortened by up to half, so that clients that failed together part.
    public func delay(afterAttempt attempt: Int, retryAfter: Double?, jitter: Double) -> Double {
        if let retryAfter { return min(max(0, retryAfter), maximumRetryAfterSeconds) }
        let backoff = min(maximumDelaySeconds, firstDelaySeconds * pow(2, Double(max(0, attempt - 1))))
        return backoff * (1 - 0.5 * jitter)
    }

    /// Seconds from now that a `Retry-After` header asks for: a number, or a date (RFC 9110, section 10.2.3).
    static func retryAfter(_ header: String?, now: Date = Date()) -> Double? {
        guard let header = header?.trimmingCharacters(in: .whitespaces), !header.isEmpty else { return nil }
        if let seconds = Double(header) { return seconds.isFinite && seconds >= 0 ? seconds : nil }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return format.date(from: header).map { max(0, $0.timeIntervalSince(now)) }
    }
}
