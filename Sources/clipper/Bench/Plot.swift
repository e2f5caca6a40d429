/// A drawing of measured figures: one or more panels below one another, with one legend.
struct Plot: Equatable, Sendable {
    /// A measured point, and how far the measurements around it lie apart.
    struct Point: Equatable, Sendable {
        var x: Double
        var y: Double
        /// The least and the greatest measured; equal to `y` for a single measurement.
        var spread: ClosedRange<Double>

        init(x: Double, y: Double, spread: ClosedRange<Double>? = nil) {
            self.x = x
            self.y = y
            self.spread = spread ?? y...y
        }
    }

    /// Points that belong together.
    struct Series: Equatable, Sendable {
        var name: String
        var points: [Point]
    }

    /// A line that nobody measured: an objective, an optimum.
    struct Reference: Equatable, Sendable {
        var name: String
        /// The line's ends.
        var from: Point
        var to: Point
    }

    /// One pair of axes.
    struct Panel: Equatable, Sendable {
        var x: PlotAxis
        var y: PlotAxis
        var series: [Series]
        var references: [Reference] = []
    }

    var title: String
    var subtitle: String
    var panels: [Panel]
}
