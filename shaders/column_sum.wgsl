// kernel column_sum = stored_f32 loop_bound step gradient_scale column_sum
// y[p, n] = sum over the rows m of part p of x[m, n]
//
// x: [rows, columns], y: [parts, columns], where a part is `part` rows. One workgroup sums 16
// columns of a part. The 16 invocations along y share the rows of a column, and a tree of fixed
// shape adds their sums.

struct Params {
    rows: u32,
    columns: u32,
    // Rows that one layer of workgroups sums.
    part: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const COLUMNS = 16u;
const LANES = 16u;

var<workgroup> sums: array<f32, COLUMNS * LANES>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) lane: vec3<u32>,
) {
    let column = (group.y * groups.x + group.x) * COLUMNS + lane.x;
    let begin = group.z * params.part;
    let end = loop_bound(min(begin + params.part, params.rows), groups);
    var sum = 0.0;
    if column < params.columns {
        for (var row = begin + lane.y; row < end; row += LANES) {
            sum += f32(x[row * params.columns + column]);
        }
    }
    let mine = lane.y * COLUMNS + lane.x;
    sums[mine] = sum;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane.y < half {
            sums[mine] += sums[mine + half * COLUMNS];
        }
    }
    if lane.y == 0u && column < params.columns {
        y[group.z * params.columns + column] = sums[mine] / gradient_scale();
    }
}
