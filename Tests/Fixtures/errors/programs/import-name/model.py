class UNet: pass
