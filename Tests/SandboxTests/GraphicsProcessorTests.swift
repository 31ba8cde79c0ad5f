import Foundation
import Testing

@testable import Sandbox

@Suite("Devices of a GPU", .serialized)
struct GraphicsProcessorTests {
    private static let look = """
        import os, sys
        path = sys.argv[1]
        print(os.path.exists(path), os.environ.get("CUDA_VISIBLE_DEVICES"))
        try:
            open("/dev/made-here", "w")
        except OSError as error:
            print(error.strerror)
        """

    /// A file stands for the device: what is shown and what is not is the same for both.
    private func seen(showsGPU: Bool) async throws -> String {
        let device = URL(filePath: "/dev/shm/llmbench-device-\(UUID().uuidString)")
        try Data("card".utf8).write(to: device)
        defer { try? FileManager.default.removeItem(at: device) }
        var policy = SandboxPolicy.standard
        policy.devices = [device.path, "/dev/llmbench-no-such-card"]
        let fixture = try SandboxFixture(runner: try BubblewrapSandbox(showsGPU: showsGPU, policy: policy))
        let outcome = try await fixture.run(Self.look) { $0.command.append(device.path) }
        #expect(outcome.termination == .exited(0), "\(fixture.standardError)")
        return fixture.standardOutput
    }

    @Test("are shown where the user asks for them, those that the machine has; nothing else of /dev opens")
    func shown() async throws {
        #expect(try await seen(showsGPU: true) == "True None\nRead-only file system\n")
    }

    @Test("are not shown otherwise, and libraries are told that there is none")
    func hidden() async throws {
        #expect(try await seen(showsGPU: false) == "False \nRead-only file system\n")
    }

    @Test("are those of NVIDIA's driver")
    func standard() {
        let devices = SandboxPolicy.standard.devices
        #expect(devices.contains("/dev/nvidiactl") && devices.contains("/dev/nvidia-uvm"))
        #expect(devices.contains("/dev/nvidia0") && devices.allSatisfy { $0.hasPrefix("/dev/nvidia") })
    }

    @Test("are handed on by what a user asked for")
    func asked() throws {
        for asked in [true, false] {
            let runner = try Confinement.sandbox(showsGPU: asked).runner(python: nil, threads: 1)
            #expect((runner as? BubblewrapSandbox)?.showsGPU == asked)
        }
    }
}
