// Augmentation of a training image: computes the same integers as src/augmentation.rs.

// Purpose::Augment in src/rng.rs.
const AUGMENT = 3u;

// Flip in src/augmentation.rs.
const RANDOM = 1u;
const ALTERNATING = 2u;

struct Change {
    flipped: bool,
    // Rows and columns by which the view is shifted down and right.
    shift: vec2<i32>,
    // First row and column of the masked square.
    hole: vec2<i32>,
}

struct Source {
    place: u32,
    is_hole: bool,
}

// Maps a random word to a number below `bound`.
fn below(word: u32, bound: u32) -> i32 {
    return i32(product(word, bound).x);
}

fn change_of(image: u32, epoch: u32) -> Change {
    let key = vec2(params.seed_low, params.seed_high);
    let words = philox(vec4(image, 0u, epoch, AUGMENT), key);
    var flips = 0u;
    if params.flip == RANDOM {
        flips = words.x;
    }
    if params.flip == ALTERNATING {
        flips = philox(vec4(image, 0u, 0u, AUGMENT), key).x ^ epoch;
    }
    let range = 2u * params.crop + 1u;
    let shift = vec2(below(words.x, range), below(words.y, range)) - i32(params.crop);
    let middle = vec2(below(words.z, params.height), below(words.w, params.width));
    return Change((flips & 1u) == 1u, shift, middle - i32(params.cutout / 2u));
}

// Reflects positions less than `size` outside into `0..size`.
fn reflected(place: vec2<i32>, size: vec2<i32>) -> vec2<i32> {
    let inside = abs(place);
    return min(inside, 2 * (size - 1) - inside);
}

// The pixel of the image that appears at `place`.
fn source_of(change: Change, place: u32) -> Source {
    let row = place / params.width;
    let at = vec2<i32>(vec2(row, place - row * params.width));
    let within = vec2<u32>(at - change.hole);
    let is_hole = (within.x < params.cutout) & (within.y < params.cutout);
    let size = vec2<i32>(vec2(params.height, params.width));
    let seen = reflected(at + change.shift, size);
    let column = select(seen.y, size.y - 1 - seen.y, change.flipped);
    return Source(u32(seen.x * size.y + column), is_hole);
}
