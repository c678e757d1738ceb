struct Params {
    m: u32,
    n: u32,
    k: u32,
    // Tiles across one row of tiles.
    tiles_n: u32,
    // Terms of one part of the sums, and how many parts there are.
    part_k: u32,
    parts: u32,
    // Elements from one part's results to the next one's.
    part_stride: u32,
    // Pixels of a channel, where an operand is a batch of pixels.
    plane: u32,
    // A map whose patches an operand is, and its elements.
    map_height: u32,
    map_width: u32,
    channels: u32,
    map_length: u32,
    // Terms of a cell: its channels, as if they were whole vectors.
    cell_terms: u32,
    // Windows of an image, and places of a window.
    windows_height: u32,
    windows_width: u32,
    places: u32,
    places_width: u32,
    stride: u32,
    spread: u32,
    // How far outside the map the first window begins.
    above: u32,
    left: u32,
    // Elements from behind a line's last window to the next line's first one, and likewise of an image.
    line_skip: u32,
    image_skip: u32,
    // What the learning rate is multiplied by.
    rate: f32,
    bias_rate: f32,
    decay: f32,
    bias_decay: f32,
    momentum: f32,
    nesterov: u32,
}
