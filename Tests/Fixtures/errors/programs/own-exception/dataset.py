class MaskMismatch(Exception): pass

def check():
    raise MaskMismatch("mask and image differ")
