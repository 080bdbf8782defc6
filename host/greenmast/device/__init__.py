"""One Modbus device and a laptop: which products are known, which one answers, what it says."""
