def check(images, masks):
    assert len(images) == len(masks), "every image needs its mask"
