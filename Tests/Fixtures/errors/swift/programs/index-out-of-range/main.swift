print(pick([1, 2], CommandLine.arguments.count + 1))
