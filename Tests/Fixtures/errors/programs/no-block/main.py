for epoch in range(2):
print(epoch)
