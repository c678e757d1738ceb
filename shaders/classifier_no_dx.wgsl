fn hand_back(row0: u32, lane: u32, classes: u32, quads: u32) {}
