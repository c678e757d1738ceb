// Softmax and cross-entropy of one row of logits z with label y, m = max z at class best:
//   rest = sum over j != best of exp(z_j - m)
//   loss = (m - z_y) + log(1 + rest),  dz_j = (exp(z_j - m) / (1 + rest) - [j = y]) / rows
//
// A kernel has the row's values in memory of its own kind; `row` is whatever finds them there:
//   logit(row, j)         z_j, for as long as nothing is kept in its place
//   keep(row, j, value)   keeps a value of class j: a term of the sum, in the end dz_j
//   kept(row, j)          what was kept last
// difference, exponential and log_of_one_plus are in log_sum_exp.wgsl.

// Keeps the gradient of the row's part of the mean loss of `rows` rows; returns its loss, and 1 if z_y is the largest.
fn softmax_row(row: u32, classes: u32, label: u32, smoothing: f32, rows: u32) -> vec2<f32> {
    var best = 0u;
    var largest = logit(row, 0u);
    for (var j = 1u; j < classes; j++) {
        let value = logit(row, j);
        if value > largest {
            largest = value;
            best = j;
        }
    }
    var rest = 0.0;
    var of_label = 0.0;
    var of_all = 0.0;
    for (var j = 0u; j < classes; j++) {
        let below = difference(logit(row, j), largest);
        let term = exponential(below);
        keep(row, j, term);
        rest += select(term, 0.0, j == best);
        of_label = select(of_label, below, j == label);
        of_all += below * smoothing / f32(classes);
    }
    // The target is (1 - smoothing) [j = y] + smoothing / classes.
    let scale = 1.0 / f32(rows);
    let factor = scale / (1.0 + rest);
    let share = smoothing / f32(classes);
    for (var j = 0u; j < classes; j++) {
        let gradient = kept(row, j) * factor;
        let of_target = select(gradient - scale, -rest * factor, label == best);
        let sharp = select(gradient, of_target, j == label);
        hand_out(row, j, sharp - scale * (share - select(0.0, smoothing, j == label)));
    }
    let loss = log_of_one_plus(rest) - of_label + smoothing * of_label - of_all;
    return vec2(loss, select(0.0, 1.0, label == best));
}
