let batches = CommandLine.arguments.count - 1
print(10 / batches)
