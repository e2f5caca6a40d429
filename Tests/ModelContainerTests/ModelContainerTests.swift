import ContainerRPC
import Testing

@testable import ModelContainer
