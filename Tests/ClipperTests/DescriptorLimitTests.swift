import Testing

@testable import clipper

@Suite("Descriptors and connections")
struct DescriptorLimitTests {
    @Test("Clients get as many connections as were asked for where the system gives enough descriptors")
    func enough() {
        #expect(DescriptorLimit.connections(wanted: 10_000, descriptors: 1_048_576) == 10_000)
    }

    @Test("Containers get as many as were asked for, or three quarters of what is left to them and to files")
    func containers() {
        #expect(DescriptorLimit.containers(wanted: 10_000, descriptors: 1_048_576) == 10_000)
        #expect(DescriptorLimit.containers(wanted: 10_000, descriptors: 4_096) == 768)
        #expect(DescriptorLimit.containers(wanted: 10_000, descriptors: 256) == 64)
        #expect(DescriptorLimit.containers(wanted: 10_000, descriptors: 64) == 1)
    }

    @Test("Where there are few, a quarter is left for containers and files, 128 at least, and some for administration")
    func few() {
        #expect(DescriptorLimit.connections(wanted: 10_000, descriptors: 1_024) == 704)
        #expect(DescriptorLimit.connections(wanted: 10_000, descriptors: 256) == 112)
        #expect(DescriptorLimit.connections(wanted: 10_000, descriptors: 64) == 1)
        #expect(DescriptorLimit.administration(descriptors: 256) == 16)
        #expect(DescriptorLimit.administration(descriptors: 1_048_576) == 256)
    }
}
