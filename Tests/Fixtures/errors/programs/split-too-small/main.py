from sklearn.model_selection import train_test_split
train_test_split([0], test_size=0.1)
