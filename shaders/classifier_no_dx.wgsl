// dx is not needed.
fn hand_back(lane: u32, classes: u32, quads: u32) {}
