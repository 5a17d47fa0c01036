"""The images on offer, and the homes and root filesystems that are made of them."""
