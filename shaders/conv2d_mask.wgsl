@group(0) @binding(4) var<storage, read> mask: array<Terms>;

fn masked(sum: Terms, place: u32) -> Terms {
    return select(Terms(), sum, mask[place] > Terms());
}
