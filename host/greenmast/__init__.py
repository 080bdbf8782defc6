"""Host side of Greenmast: links, tools, plant, emulator, hub."""
