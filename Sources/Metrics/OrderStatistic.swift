/// Quantiles without sorting.
enum OrderStatistic {
    /// The quantile of type 7 (Hyndman and Fan 1996), as NumPy's default: linear between the two nearest ranks.
    ///
    /// The values are reordered. Expected time O(n), by Hoare's selection (1961) with the median of three as pivot; sorted when
    /// the pivots are unlucky. There is at least one value, and none is no number.
    ///
    /// - Parameter fraction: in 0...1.
    static func quantile(_ values: inout [Double], _ fraction: Double) -> Double {
        let position = fraction * Double(values.count - 1)
        let low = Int(position.rounded(.down))
        let lower = select(&values, low)
        let weight = position - Double(low)
        guard weight > 0 else { return lower }
        // What lies right of the selected place is not smaller.
        let upper = values[(low + 1)...].min() ?? lower
        return lower + weight * (upper - lower)
    }

    /// The value that would stand at `rank` in sorted order; afterwards smaller ones are left of it and larger ones right.
    private static func select(_ values: inout [Double], _ rank: Int) -> Double {
        values.withUnsafeMutableBufferPointer { values in
            var (left, right) = (0, values.count - 1)
            var steps = 0
            while left < right {
                steps += 1
                if steps > 100 {
                    values[left...right].sort()
                    break
                }
                let (a, b, c) = (values[left], values[(left + right) / 2], values[right])
                let pivot = max(min(a, b), min(max(a, b), c))
                var (i, j) = (left, right)
                while i <= j {
                    while values[i] < pivot { i += 1 }
                    while values[j] > pivot { j -= 1 }
                    if i <= j {
                        values.swapAt(i, j)
                        i += 1
                        j -= 1
                    }
                }
                if rank <= j {
                    right = j
                } else if rank >= i {
                    left = i
                } else {
                    break
                }
            }
            return values[rank]
        }
    }
}
