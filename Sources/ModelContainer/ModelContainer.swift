public import ContainerRPC

/// A model's closure with the name it is served under: the whole of a container but its connection.
///
///     try await ModelContainer(name: "sum", version: "1") { (input: [Double]) in input.reduce(0, +) }.run()
///
/// The closure takes one input, or a whole batch (`InputBatch`, or `[String]` for text); it may be `async`, and it may
/// throw. A batch whose closure throws is logged and given back to the frontend, which tries it elsewhere; the
/// container goes on. Outputs are strings, numbers or anything `Encodable`, which is sent as JSON.
///
/// The name and version may be left out here: they then come from flags or from Clipper's environment variables.
public struct ModelContainer: Sendable {
    /// What answers a batch. Which of the two decides where it runs: a closure that is not `async` may block, so it
    /// gets a thread of its own.
    enum Model: Sendable {
        case blocking(@Sendable (InputValues) throws -> Outputs)
        case suspending(@Sendable (InputValues) async throws -> Outputs)
    }

    let name: String?
    let version: String?
    /// What the model's inputs are, as the closure's parameter says.
    public let inputType: InputType
    let model: Model

    /// A container whose closure answers one input.
    public init<Input: ModelInput, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil, predict: @escaping @Sendable (Input) throws -> Output
    ) {
        self.init(
            name, version, Input.inputType,
            .blocking { values in
                let outputs = try Input.inputs(of: values).map(predict)
                return try OutputEncoding().outputs(outputs, inputCount: values.count)
            })
    }

    /// A container whose asynchronous closure answers one input. The inputs of a batch are answered one after the
    /// other; a closure that can overlap them takes the batch.
    public init<Input: ModelInput, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil, predict: @escaping @Sendable (Input) async throws -> Output
    ) {
        self.init(
            name, version, Input.inputType,
            .suspending { values in
                var outputs: [Output] = []
                for input in try Input.inputs(of: values) { outputs.append(try await predict(input)) }
                return try OutputEncoding().outputs(outputs, inputCount: values.count)
            })
    }

    /// A container whose closure answers a whole batch: one output for each input, in order.
    public init<Element: InputElement, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil,
        predictBatch: @escaping @Sendable (InputBatch<Element>) throws -> [Output]
    ) {
        self.init(
            name, version, Element.inputType,
            .blocking { values in
                let outputs = try predictBatch(InputBatch(values))
                return try OutputEncoding().outputs(outputs, inputCount: values.count)
            })
    }

    /// A container whose asynchronous closure answers a whole batch: one output for each input, in order.
    public init<Element: InputElement, Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil,
        predictBatch: @escaping @Sendable (InputBatch<Element>) async throws -> [Output]
    ) {
        self.init(
            name, version, Element.inputType,
            .suspending { values in
                let outputs = try await predictBatch(InputBatch(values))
                return try OutputEncoding().outputs(outputs, inputCount: values.count)
            })
    }

    /// A container whose closure answers a whole batch of strings.
    public init<Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil, predictBatch: @escaping @Sendable ([String]) throws -> [Output]
    ) {
        self.init(
            name, version, .string,
            .blocking { values in
                let outputs = try predictBatch(String.inputs(of: values))
                return try OutputEncoding().outputs(outputs, inputCount: values.count)
            })
    }

    /// A container whose asynchronous closure answers a whole batch of strings.
    public init<Output: Encodable & Sendable>(
        name: String? = nil, version: String? = nil,
        predictBatch: @escaping @Sendable ([String]) async throws -> [Output]
    ) {
        self.init(
            name, version, .string,
            .suspending { values in
                let outputs = try await predictBatch(String.inputs(of: values))
                return try OutputEncoding().outputs(outputs, inputCount: values.count)
            })
    }

    private init(_ name: String?, _ version: String?, _ inputType: InputType, _ model: Model) {
        self.name = name
        self.version = version
        self.inputType = inputType
        self.model = model
    }

    /// Answers a batch without a network, just as a frontend would be answered: the way to test a container.
    ///
    /// - Returns: one string for each input.
    /// - Throws: what the closure throws; `ContainerError` for inputs of another type than the closure's, and for
    ///   another number of outputs than inputs.
    public func predict<Input: ModelInput>(_ inputs: [Input]) async throws -> [String] {
        let values = Input.values(of: inputs)
        switch model {
        case .blocking(let predict): return try predict(values).strings
        case .suspending(let predict): return try await predict(values).strings
        }
    }
}
