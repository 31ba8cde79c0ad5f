from model import net

best = net(16).state_dict()
model = net(32)
model.load_state_dict(best)
