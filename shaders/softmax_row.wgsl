// Softmax and cross-entropy of one row of logits z with label y, m = max z at class best:
//   rest = sum over j != best of exp(z_j - m)
//   loss = (m - z_y) + log(1 + rest),  dz_j = (exp(z_j - m) / (1 + rest) - [j = y]) / rows
//
// Each kernel stores the values of a row in its own memory, and defines:
//   logit(row, j)             z_j, until a term replaces it
//   keep(row, j, value)       stores class j's term of the sum
//   kept(row, j)              the stored term
//   hand_out(row, j, value)   stores dz_j
// difference, exponential and log_of_one_plus are in log_sum_exp.wgsl.

// Computes the gradient of the mean loss of `rows` rows. Returns the loss of this row, and 1 if z_y
// is the largest logit.
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
    // The target is (1 - smoothing) [j = y] + smoothing / classes.
    let share = smoothing / f32(classes);
    var rest = 0.0;
    var of_label = 0.0;
    var of_all = 0.0;
    for (var j = 0u; j < classes; j++) {
        let below = difference(logit(row, j), largest);
        let term = exponential(below);
        keep(row, j, term);
        rest += select(term, 0.0, j == best);
        of_label = select(of_label, below, j == label);
        of_all += below * share;
    }
    let scale = 1.0 / f32(rows);
    let factor = scale / (1.0 + rest);
    for (var j = 0u; j < classes; j++) {
        let gradient = kept(row, j) * factor;
        let of_target = select(gradient - scale, -rest * factor, label == best);
        let sharp = select(gradient, of_target, j == label);
        hand_out(row, j, sharp - scale * (share - select(0.0, smoothing, j == label)));
    }
    let loss = log_of_one_plus(rest) - of_label + smoothing * of_label - of_all;
    return vec2(loss, select(0.0, 1.0, label == best));
}
