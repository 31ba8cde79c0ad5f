var seed = CommandLine.arguments.count
for _ in 0..<80 { seed *= 31 }
print(seed)
