import sys
import traceback

try:
    raise ValueError("caught at the top")
except ValueError:
    traceback.print_exc(file=sys.stdout)
    sys.exit(1)
