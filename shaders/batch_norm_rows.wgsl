// Number of rows in one part of a sum.
const PART = 1024u;

// Number of rows of a part that belong to an image; padding has no effect.
fn rows_of_part(part: u32) -> u32 {
    let valid = step.rows * params.cells;
    return min(PART, valid - min(valid, part * PART));
}
