#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension SelectionRandom {
    /// One of so many places, each as probable as the others.
    mutating func place(below count: Int) -> Int {
        min(count - 1, Int(unit() * Double(count)))
    }

    /// A place, drawn with these probabilities, which add to one.
    mutating func place(of probabilities: [Double]) -> Int {
        var left = unit()
        var last = 0
        for (place, probability) in probabilities.enumerated() where probability > 0 {
            if left < probability { return place }
            left -= probability
            last = place
        }
        // Rounding can leave a rest.
        return last
    }

    /// A draw from the normal distribution with mean 0 and variance 1 (Marsaglia and Bray, SIAM Review 1964).
    mutating func normal() -> Double {
        while true {
            let first = 2 * unit() - 1
            let second = 2 * unit() - 1
            let square = first * first + second * second
            if square > 0, square < 1 { return first * (-2 * log(square) / square).squareRoot() }
        }
    }

    /// A draw from the gamma distribution with scale 1 (Marsaglia and Tsang, ACM TOMS 2000).
    ///
    /// - Parameter shape: at least 1.
    mutating func gamma(shape: Double) -> Double {
        let d = shape - 1 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let root = 1 + c * x
            guard root > 0 else { continue }
            let cube = root * root * root
            let u = unit()
            if u < 1 - 0.0331 * x * x * x * x { return d * cube }
            if u > 0, log(u) < 0.5 * x * x + d * (1 - cube + log(cube)) { return d * cube }
        }
    }

    /// A draw from the beta distribution, from 0 to 1; both parameters at least 1.
    mutating func beta(_ alpha: Double, _ beta: Double) -> Double {
        let first = gamma(shape: alpha)
        return first / (first + gamma(shape: beta))
    }
}
