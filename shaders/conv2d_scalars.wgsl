// Channels are read one at a time.

alias Terms = f32;
// The same channel of four filters: term * filters has a product for each filter.
alias Filters = vec4<f32>;

// How many `Terms` a cell's channels are.
fn terms_of_cell() -> u32 {
    return params.channels;
}
