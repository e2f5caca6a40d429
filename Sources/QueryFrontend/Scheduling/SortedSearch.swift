extension RandomAccessCollection where Index == Int {
    /// The first index whose element is not below, by binary search; those that are below come first.
    func boundary(below isBelow: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = (low + high) / 2
            if isBelow(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
