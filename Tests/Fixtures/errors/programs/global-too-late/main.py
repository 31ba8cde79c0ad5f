best_dice = 0.0


def update(dice):
    if dice > best_dice:
        global best_dice
        best_dice = dice
    return best_dice


for value in (0.3, 0.6, 0.5):
    print(update(value))
