import ContainerRPC
import Testing

@Suite("Hosts' names")
struct HostNameTests {
    @Test("A name that stands for addresses of IPv6 alone is told from others")
    func isOnlyIPv6() {
        #expect(HostName.isOnlyIPv6("::1") == true)
        #expect(HostName.isOnlyIPv6("127.0.0.1") == false)
        #expect(HostName.isOnlyIPv6("localhost") == false)
        #expect(HostName.isOnlyIPv6("") == nil)
    }
}
