// The parts in which rows are summed.
const PART = 1024u;

// Rows of a part that belong to an image; those of padding count for nothing.
fn rows_of_part(part: u32) -> u32 {
    let valid = step.rows * params.cells;
    return min(PART, valid - min(valid, part * PART));
}
