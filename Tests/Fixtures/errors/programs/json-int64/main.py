import json
import numpy as np
json.dumps({"epochs": np.int64(3)})
