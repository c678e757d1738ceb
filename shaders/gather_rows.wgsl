// Shared by the gather kernels: the image of each row, where it is stored, and the main function.
//
// A row of workgroups is a row of the batch, so no division is needed to find the row. The
// `across()` invocations of a row call `copy` of gather.wgsl, gather_vectors.wgsl,
// gather_pixels.wgsl or gather_places.wgsl for their pixels.
//
// labels, order: [images]; normalisation: [channels] of (scale, shift); batch_labels: [batch].

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read> order: array<u32>;
@group(0) @binding(5) var<storage, read> normalisation: array<vec2<f32>>;
@group(0) @binding(7) var<storage, read_write> batch_labels: array<u32>;

const NO_LABEL = 0xffffffffu;

struct Row {
    // Whether this dispatch writes the row: its image is in one of the two pieces, or the row is
    // past `step.rows` and the pieces are the first.
    is_here: bool,
    // Whether the row holds no image.
    is_padding: bool,
    // Index of the image; any index if the row holds none.
    index: u32,
    // Index of the image within the two consecutive pieces.
    within: u32,
}

fn find(row: u32) -> Row {
    let is_padding = row >= step.rows;
    var index = params.piece_first;
    if !is_padding {
        index = order[step.first + row];
    }
    // Before the first image of the pieces, this wraps around to a large number.
    let within = index - params.piece_first;
    let is_held = within < params.piece_images + params.next_images;
    let is_here = is_held & (!is_padding | (params.piece_first == 0u));
    return Row(is_here, is_padding, index, within);
}

// Separate from `find`, because one invocation of a row is enough to read the label.
fn label_of(row: Row) -> u32 {
    return select(labels[row.index], NO_LABEL, row.is_padding);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group.z * groups.y + group.y;
    let place = group.x * 64u + lane;
    if (row >= params.batch) | (place >= across()) {
        return;
    }
    let found = find(row);
    if !found.is_here {
        return;
    }
    if place == 0u {
        batch_labels[row] = label_of(found);
    }
    copy(row, place, found, groups);
}
