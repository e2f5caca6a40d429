public import ContainerRPC

/// A model's closure with the name it is served under: the whole of a container but its connection.
///
///     try await ModelContainer(name: "sum", version: "1") { (input: [Double]) in input.reduce(0, +) }.run()
///
/// The closure takes one input, or a whole batch (`InputBatch`, or `[String]` for text); it may be `async`, and it may
/// throw. Whoever sent the input at which it throws gets the default output and the error; the other inputs of its batch
/// get theirs, for which a closure that takes whole batches is run again on parts of it, unless it says by itself which
/// inputs fail, by a `Result` for each. (A frontend that speaks RPC 3 cannot be told: it loses the batch and tries it
/// elsewhere.) Outputs are numbers, arrays of numbers, strings, `Data`, or
/// anything `Encodable`, which is sent as JSON.
///
/// The name and version may be left out here: they then come from flags or from Clipper's environment variables. Where more
/// than one says it, flags beat the environment, which beats the code.
public struct ModelContainer: Sendable {
    /// What answers a batch. Which of the two decides where it runs: a closure that is not `async` may block, so it
    /// runs on a thread of the container's own.
    @usableFromInline
    enum Model: Sendable {
        case blocking(@Sendable (InputValues) throws -> Outputs)
        case suspending(@Sendable (InputValues) async throws -> Outputs)
    }

    let name: String?
    let version: String?
    /// What the model's inputs are, as the closure's parameter says.
    public let inputType: InputType
    let model: Model
    /// What it says of itself when it registers.
    var details = RegistrationDetails()

    /// A container whose closure answers one input.
    @inlinable
    public init<Input: ModelInput, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil, predict: @escaping @Sendable (Input) throws -> Output
    ) {
        self.init(
            name, version, Input.inputType,
            .blocking { values in
                let results = try Input.inputs(of: values).map { input in Result { try predict(input) } }
                return OutputEncoding().outputs(results)
            })
    }

    /// A container whose asynchronous closure answers one input. The inputs of a batch are answered one after the
    /// other; a closure that can overlap them takes the batch.
    @inlinable
    public init<Input: ModelInput, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil, predict: @escaping @Sendable (Input) async throws -> Output
    ) {
        self.init(
            name, version, Input.inputType,
            .suspending { values in
                var results: [Result<Output, any Error>] = []
                for input in try Input.inputs(of: values) {
                    // The container has ended, and nobody waits for the others.
                    try Task.checkCancellation()
                    do { results.append(.success(try await predict(input))) } catch { results.append(.failure(error)) }
                }
                return OutputEncoding().outputs(results)
            })
    }

    /// A container whose closure answers a whole batch: one output for each input, in order.
    @inlinable
    public init<Batch: BatchInput, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil, predictBatch: @escaping @Sendable (Batch) throws -> [Output]
    ) {
        self.init(
            name: name, version: version,
            predictBatch: { (batch: Batch) -> [Result<Output, any Error>] in
                try predictBatch(batch).map { .success($0) }
            })
    }

    /// A container whose asynchronous closure answers a whole batch: one output for each input, in order.
    @inlinable
    public init<Batch: BatchInput, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil,
        predictBatch: @escaping @Sendable (Batch) async throws -> [Output]
    ) {
        self.init(
            name: name, version: version,
            predictBatch: { (batch: Batch) async throws -> [Result<Output, any Error>] in
                try await predictBatch(batch).map { .success($0) }
            })
    }

    /// A container whose closure answers a whole batch with an output or an error for each input, in order: it knows by
    /// itself where it fails, and is not run again on parts of the batch unless it throws.
    @inlinable
    public init<Batch: BatchInput, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil,
        predictBatch: @escaping @Sendable (Batch) throws -> [Result<Output, any Error>]
    ) {
        self.init(
            name, version, Batch.inputType,
            .blocking { values in
                let batch = try Batch(of: values)
                // A closure may count on a first input.
                let results = values.count == 0 ? [] : try predictBatch(batch)
                return try OutputEncoding().outputs(results, inputCount: values.count)
            })
    }

    /// A container whose asynchronous closure answers a whole batch with an output or an error for each input, in order.
    @inlinable
    public init<Batch: BatchInput, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil,
        predictBatch: @escaping @Sendable (Batch) async throws -> [Result<Output, any Error>]
    ) {
        self.init(
            name, version, Batch.inputType,
            .suspending { values in
                let batch = try Batch(of: values)
                let results = values.count == 0 ? [] : try await predictBatch(batch)
                return try OutputEncoding().outputs(results, inputCount: values.count)
            })
    }

    /// Not there: a mistake that is easily made, and that the compiler would tell in its own words.
    @available(
        *, unavailable, message: "a closure for whole batches takes an InputBatch, such as (batch: InputBatch<Double>)"
    )
    public init<Element: InputElement, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil,
        predictBatch: @escaping @Sendable ([[Element]]) async throws -> [Output]
    ) {
        preconditionFailure("no program that compiles calls this")
    }

    @usableFromInline
    init(_ name: String?, _ version: String?, _ inputType: InputType, _ model: Model) {
        self.name = name
        self.version = version
        self.inputType = inputType
        self.model = model
    }

    /// The same container, which takes no more than this; a frontend that speaks RPC 4 keeps to it. What is left out
    /// stays as it was. Another number than 1 to 4,294,967,295 is a `ContainerError` where the container is run or made
    /// a service.
    ///
    /// - Parameters:
    ///   - largestBatch: inputs in one batch, at least 1.
    ///   - batchesInFlight: batches that are read and not answered, at least 1.
    public func limited(largestBatch: Int? = nil, batchesInFlight: Int? = nil) -> ModelContainer {
        var limited = self
        if let largestBatch { limited.details.largestBatch = largestBatch }
        if let batchesInFlight { limited.details.batchesInFlight = batchesInFlight }
        return limited
    }

    /// The same container, which says this of itself when it registers, for people who look at the frontend's status:
    /// `["framework": "MyNetwork 2.1"]`. Host, process and SDK are said anyway.
    public func described(by metadata: KeyValuePairs<String, String>) -> ModelContainer {
        var described = self
        described.details.metadata += metadata.map { MetadataPair($0.key, $0.value) }
        return described
    }

    /// Runs the closure on a batch without a network: the way to test a container.
    ///
    /// Outputs are rendered as a frontend gets them. Where one input fails, so does the call; a frontend would get the
    /// other outputs, for which a closure that takes whole batches is run again on parts of the batch.
    ///
    /// - Parameter context: what the closure finds in `BatchContext.current`; `nil` leaves what is there, nothing outside
    ///   of a closure.
    /// - Returns: one string for each input.
    /// - Throws: what the closure throws, or `PredictionFailure` where it takes inputs one by one; that also for an output
    ///   that JSON cannot say, such as a NaN within a structure; `ContainerError` for inputs of another type than the
    ///   closure's, and for another number of outputs than inputs.
    public func predict<Input: ModelInput>(
        _ inputs: [Input], in context: BatchContext? = nil
    ) async throws -> [String] {
        let values = Input.values(of: inputs)
        let outputs = try await BatchContext.$current.withValue(context ?? BatchContext.current) {
            switch model {
            case .blocking(let predict): try predict(values)
            case .suspending(let predict): try await predict(values)
            }
        }
        if let first = outputs.errors.first {
            throw PredictionFailure(input: first.index, code: first.code, reason: first.text)
        }
        return outputs.strings
    }
}

/// The closure of a container that takes inputs one by one has thrown at one of them, or JSON cannot say an output.
public struct PredictionFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The input's place in the batch, from 0.
    public var input: Int
    /// What kind of error it is for a frontend: `.invalidInput` of `InvalidInput`, `.unavailable` of `Unavailable`,
    /// `.modelError` of any other.
    public var code: FailureCode
    /// What was thrown, as a frontend is told it: no more than 1,024 bytes.
    public var reason: String

    public var description: String { "input \(input): \(reason) (\(code))" }
}
