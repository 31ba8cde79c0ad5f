import json

settings = json.loads("{'epochs': 2}")
