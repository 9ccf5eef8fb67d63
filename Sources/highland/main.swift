print("highland")
