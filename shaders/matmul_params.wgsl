struct Params {
    m: u32,
    n: u32,
    k: u32,
    // Number of tiles in one row of tiles.
    tiles_n: u32,
    // Number of terms in one split of the sums, and number of splits (split-K).
    part_k: u32,
    parts: u32,
    // Number of elements from the results of one split to those of the next.
    part_stride: u32,
    // Pixels of a channel, if an operand is a batch of pixels.
    plane: u32,
    // Size of the map whose patches are an operand, and its number of elements.
    map_height: u32,
    map_width: u32,
    channels: u32,
    map_length: u32,
    // Terms per cell: its channels, rounded up to whole vectors.
    cell_terms: u32,
    // Windows of an image, and kernel positions of a window.
    windows_height: u32,
    windows_width: u32,
    kernel_area: u32,
    kernel_width: u32,
    stride: u32,
    lhs_dilation: u32,
    // Padding above and to the left of the map.
    pad_top: u32,
    pad_left: u32,
    // Elements from the end of one row of windows to the start of the next, and likewise for
    // images.
    line_skip: u32,
    image_skip: u32,
    // Factor of the learning rate.
    rate: f32,
    bias_rate: f32,
    decay: f32,
    bias_decay: f32,
    momentum: f32,
    nesterov: u32,
}
