/// Sums over pixels, channel by channel.
enum ChannelSums {
    /// Floats of scratch memory.
    static func workspaceFloats(channels: Int, threads: Int) -> Int {
        threads * padded(channels)
    }

    /// sums[c] = Σ x[p][c]. Where a few channels are all there is, a vector holds several pixels.
    static func sum(
        _ x: Pixels, pixels: Int, channels: Int, into sums: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) {
        let group = lanes / channels
        guard channels < lanes, lanes % channels == 0, x.stride == channels, pixels % group == 0 else {
            return sumRows(x, pixels: pixels, channels: channels, into: sums, workspace: workspace, pool: pool)
        }
        withStackTile { wide in
            sumRows(
                Pixels(x.base, stride: lanes), pixels: pixels / group, channels: lanes, into: wide,
                workspace: workspace, pool: pool)
            for channel in 0..<channels {
                sums[channel] = 0
                for member in 0..<group { sums[channel] += wide[member * channels + channel] }
            }
        }
    }

    private static func sumRows(
        _ x: Pixels, pixels: Int, channels: Int, into sums: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) {
        let pieces = pool.threadCount
        let width = padded(channels)
        pool.parallel(pieces, with: (x, (pixels, pieces, channels), workspace)) { job, piece, _ in
            let (x, (pixels, pieces, channels), workspace) = job
            let width = padded(channels)
            let partial = workspace + piece * width
            partial.update(repeating: 0, count: width)
            for chunk in chunks(ThreadPool.range(piece, of: pieces, count: pixels, grain: 1)) {
                var channel = 0
                while channel < channels {
                    let count = channels - channel
                    var sum = Vector()
                    for pixel in chunk { sum += load(x.base + pixel * x.stride + channel, upTo: count) }
                    store(load(partial + channel) + sum, partial + channel)
                    channel += lanes
                }
            }
        }
        for channel in 0..<channels {
            var sum: Float = 0
            for piece in 0..<pieces { sum += workspace[piece * width + channel] }
            sums[channel] = sum
        }
    }

    /// Cuts a range into short pieces: their sums are added to each other, which keeps rounding errors small and lines in cache.
    @inline(__always)
    static func chunks(_ range: Range<Int>) -> some Sequence<Range<Int>> {
        stride(from: range.lowerBound, to: range.upperBound, by: 256).lazy.map {
            $0..<min($0 + 256, range.upperBound)
        }
    }
}
