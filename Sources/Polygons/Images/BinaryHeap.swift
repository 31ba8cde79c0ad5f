/// A priority queue (Williams 1964): the element that comes before all others is popped first.
struct BinaryHeap<Element> {
    private var items: [Element] = []
    private let isBefore: (Element, Element) -> Bool

    init(isBefore: @escaping (Element, Element) -> Bool) {
        self.isBefore = isBefore
    }

    var isEmpty: Bool { items.isEmpty }

    mutating func push(_ element: Element) {
        items.append(element)
        var index = items.count - 1
        while index > 0, isBefore(items[index], items[(index - 1) / 2]) {
            items.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func pop() -> Element? {
        guard let first = items.first else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        var index = 0
        while true {
            var next = index
            for child in [2 * index + 1, 2 * index + 2] where child < items.count && isBefore(items[child], items[next])
            {
                next = child
            }
            guard next != index else { return first }
            items.swapAt(index, next)
            index = next
        }
    }
}
