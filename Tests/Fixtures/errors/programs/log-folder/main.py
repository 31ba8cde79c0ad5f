import os
import tempfile
from utils import setup_logger

out = tempfile.mkdtemp()
logger = setup_logger(os.path.join(out, "logs", "train.log"))
logger.info("start")
