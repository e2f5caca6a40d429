import ArgumentParser

@main struct Temp: AsyncParsableCommand { static let configuration = CommandConfiguration(subcommands: [Serve.self]) }
