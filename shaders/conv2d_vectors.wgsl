// Channels are read four at a time: their number is a multiple of four.

alias Terms = vec4<f32>;
// The same four channels of four filters: terms * filters has a sum for each filter.
alias Filters = mat4x4<f32>;

// How many `Terms` a cell's channels are.
fn terms_of_cell() -> u32 {
    return params.channels / 4u;
}
