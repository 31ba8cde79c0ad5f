from model import UNetPlusPlus
