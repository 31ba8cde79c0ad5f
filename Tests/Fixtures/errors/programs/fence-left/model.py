```python
from torch import nn
```
