fn hand_back(row0: u32, k: u32, classes: u32, quads: u32) {}
