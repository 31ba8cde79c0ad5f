raise ExceptionGroup("two things", [ValueError("a"), TypeError("b")])
